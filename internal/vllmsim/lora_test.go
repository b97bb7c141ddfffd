package vllmsim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func adapted(names ...string) Config {
	c := Config{ServedModelName: "base", EnableLoRA: true}
	for _, n := range names {
		c.LoRAModules = append(c.LoRAModules, LoRAAdapter{n, "/adapters/" + n})
	}
	return c
}

// TestAdapters serves two beside the model, as vLLM 0.32.0 lists and counts them.
func TestAdapters(t *testing.T) {
	s, err := New(adapted("sql", `law "2"`))
	require.NoError(t, err)
	defer s.Close()
	h := s.routes()
	ask := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}

	_, body := ask(http.MethodGet, "/v1/models", "")
	var list struct {
		Data []struct {
			ID, Root    string
			Parent      *string
			MaxModelLen *int `json:"max_model_len"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list.Data, 3)
	assert.Equal(t, "base", list.Data[0].ID)
	assert.Nil(t, list.Data[0].Parent)
	assert.Equal(t, "/adapters/sql", list.Data[1].Root)
	assert.Equal(t, "base", *list.Data[1].Parent)
	assert.Nil(t, list.Data[1].MaxModelLen, "vLLM tells it of the model alone")

	prompt := strings.Repeat("1,", 63) + "1" // four blocks
	for _, model := range []string{"base", "sql", `law \"2\"`, "sql"} {
		code, body := ask(http.MethodPost, "/v1/completions", `{"model":"`+model+`","prompt":[`+prompt+`],"max_tokens":2}`)
		require.Equal(t, http.StatusOK, code, body)
		assert.Contains(t, body, `"model":"`+model+`"`)
	}
	code, body := ask(http.MethodPost, "/v1/completions", `{"model":"med","prompt":[1]}`)
	assert.Equal(t, http.StatusNotFound, code)
	assert.Contains(t, body, "The model `med` does not exist")
	code, _ = ask(http.MethodPost, "/tokenize", `{"model":"sql","prompt":"a"}`)
	assert.Equal(t, http.StatusOK, code)

	_, page := ask(http.MethodGet, "/metrics", "")
	assert.Contains(t, page, `vllm:request_success_total{engine="0",finished_reason="length",model_name="base"} 4`, "under the model's name")
	assert.NotContains(t, page, `model_name="sql"`)
	assert.Contains(t, page, `vllm:prefix_cache_hits_total{engine="0",model_name="base"} 48`, "of the second request of the same adapter alone")
}

func TestAdaptersRefused(t *testing.T) {
	for want, c := range map[string]Config{
		"there are lora-modules, but LoRA is not enabled: add --enable-lora":                {LoRAModules: []LoRAAdapter{{"a", "p"}}},
		`lora-modules names "base", which is served already: give the adapter another name`: adapted("base"),
		`lora-modules names "a", which is served already: give the adapter another name`:    adapted("a", "a"),
	} {
		_, err := New(c)
		assert.EqualError(t, err, want)
	}
	o, err := parseFlags([]string{"--enable-lora", "--lora-modules", "a=/p", "--lora-modules=b=q=r"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, []LoRAAdapter{{"a", "/p"}, {"b", "q=r"}}, o.LoRAModules)
	for _, bad := range []string{"a", "=p", "a="} {
		_, err := parseFlags([]string{"--lora-modules=" + bad}, io.Discard)
		assert.ErrorContains(t, err, "write it as name=path")
	}
}
