package engine

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A server that repeats the key wherever it can must not get it into an
// Info, which is saved, or into an error, which is printed.
func TestAPIKeyGoesNowhereButIntoTheHeader(t *testing.T) {
	const key = "sk-secret/123"
	echo := func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer "+key, r.Header.Get("Authorization"))
		assert.NotContains(t, r.URL.String(), key)
		body := map[string]any{"version": key, "vllm_env": key, "error": map[string]any{"message": "bad key " + key}}
		if r.URL.Path == "/tokenize" {
			w.WriteHeader(http.StatusBadRequest)
		}
		text, err := json.Marshal(body)
		assert.NoError(t, err)
		io.WriteString(w, strings.ReplaceAll(string(text), "s", `\u0073`)) // JSON has many ways to write a letter
	}
	c := start(t, vllmRoutes(t, routes{
		"GET /v1/models":   says(200, strings.ReplaceAll(modelsBody, "/models/tiny", key)),
		"GET /version":     echo,
		"GET /server_info": echo,
		"POST /tokenize":   echo,
		"GET /metrics":     says(200, `vllm:cache_config_info{a="`+key+`"} 1`+"\n"),
	}))
	c.APIKey = key
	i, err := c.Discover(t.Context(), "")
	require.NoError(t, err)
	b, err := json.Marshal(i)
	require.NoError(t, err)
	assert.NotContains(t, string(b), key)
	assert.Equal(t, "[API key]", i.Version)
	assert.Contains(t, i.NotOffered, "GET /server_info (it holds the API key, so it is not kept)")

	_, err = c.Tokenize(t.Context(), "tiny", "x")
	assert.ErrorContains(t, err, "bad key [API key]")
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "",
		"plain, text":                    "plain, text",
		" two\r\n lines\tand tabs\n":     "two lines and tabs",
		"\x1b[2Jred\x00":                 "\uFFFD[2Jred\uFFFD",
		"bad \xff\xfe utf8":              "bad \uFFFD\uFFFD utf8",
		"turned \u202eround":             "turned \uFFFDround",
		"日本語 café":                       "日本語 café",
		strings.Repeat("é", 199):         strings.Repeat("é", 199),
		strings.Repeat("é", 1000):        strings.Repeat("é", 199) + "…",
		strings.Repeat("a ", 1000):       strings.Repeat("a ", 99) + "a…",
		strings.Repeat("é", 198) + " ab": strings.Repeat("é", 198) + "…",
	} {
		assert.Equal(t, want, Clean(in))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\nb")
	f.Add(strings.Repeat(" é", 300))
	f.Add(strings.Repeat("é", 198) + " ab")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		assert.LessOrEqual(t, len([]rune(got)), maxClean)
		assert.NotContains(t, got, "\n")
		assert.Equal(t, got, Clean(got))
	})
}

func FuzzEscape(f *testing.F) {
	f.Add(`{"a": ["\u202e\u009b31m", "\x7f", "\U000e0041", "é"]}`)
	f.Add("[\"\xff\"]\n")
	f.Fuzz(func(t *testing.T, s string) {
		var was, is any
		if json.Unmarshal([]byte(s), &was) != nil {
			return
		}
		got := escape(json.RawMessage(s))
		require.NoError(t, json.Unmarshal(got, &is), "%s", got)
		assert.Equal(t, was, is)
		for _, r := range string(got) {
			assert.True(t, unicode.IsPrint(r) || strings.ContainsRune(" \t\r\n", r), "%q", got)
		}
	})
}
