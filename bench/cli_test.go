package bench

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// A refusal is bad input and what the user gets for it: before any benchmark
// runs one sentence that names the input and the fix, and a failure's exit status.
type refusal struct {
	name   string
	args   []string
	status int
	want   []string // parts of the sentence
}

func (r refusal) test(t *testing.T) {
	t.Parallel()
	c := runChild(t, r.args...)
	said := c.stderr.String()
	t.Logf("exit status %d: %s", c.status(), said)
	assert.Equal(t, r.status, c.status())
	assert.Regexp(t, `^vllmbench: [^\n]+\n$`, said)
	for _, part := range r.want {
		assert.Contains(t, said, part)
	}
	assert.Empty(t, c.stdout.String())
	assert.NotContains(t, c.all(), secret)
}

const secret = "sk-0123456789abcdef"

func TestBadServer(t *testing.T) {
	good := simulate(t, vllmsim.Config{MaxModelLen: 128})
	locked := simulate(t, vllmsim.Config{APIKey: "another"})
	echo := proxy{refuse: func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		http.Error(w, "I do not know "+r.Header.Get("Authorization"), http.StatusTeapot)
		return true
	}}.before(t, good)
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	t.Cleanup(tls.Close)
	website := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(website.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	plain := strings.Replace(tls.URL, "https:", "http:", 1)

	for _, tt := range []refusal{
		{"no server", []string{"-url=" + gone.URL}, 1, []string{"no server answers at " + gone.URL, "start it, or name another server with -url or VLLM_BASE_URL"}},
		{"no scheme", []string{"-url=localhost:8000"}, 1, []string{`"localhost:8000" has no scheme`, "give it as http://host:port with -url"}},
		{"https to http", []string{"-url=" + strings.Replace(good, "http:", "https:", 1)}, 1, []string{"does not speak HTTPS", "use http:// in -url"}},
		{"http to https", []string{"-url=" + plain}, 1, []string{plain + " speaks HTTPS", "use https:// in -url"}},
		{"unknown authority", []string{"-url=" + tls.URL}, 1, []string{"the certificate of " + tls.URL + " is not trusted", "name the file of its authority with -ca"}},
		{"no authority", []string{"-url=" + tls.URL, "-ca=" + filepath.Join(t.TempDir(), "none.pem")}, 1, []string{"-ca: open ", "none.pem", "name a file of certificates in PEM"}},
		{"-ca beside -insecure", []string{"-url=" + tls.URL, "-ca=go.mod", "-insecure"}, 1, []string{"-ca and -insecure contradict each other", "give -ca alone"}},
		{"not an LLM server", []string{"-url=" + website.URL}, 1, []string{website.URL + " is not an OpenAI-compatible server", "give the URL that /v1/models is under"}},
		{"wrong model", []string{"-url=" + good, "-model=gpt-2"}, 1, []string{`model "gpt-2" is not served at ` + good + ", which serves Qwen/Qwen2.5-7B", "choose one with -model"}},
		{"no key", []string{"-url=" + locked}, 1, []string{locked + " wants an API key (401)", "give it with -api-key or VLLM_API_KEY"}},
		{"wrong key", []string{"-url=" + locked, "-api-key=" + secret}, 1, []string{locked + " refuses the API key", "(401): give another with -api-key"}},
		{"a server that repeats the key", []string{"-url=" + echo, "-api-key=" + secret}, 1, []string{"I do not know Bearer [API key]", "see the server's log"}},
		{"too long", []string{"-url=" + good, "-prompt=100", "-output=100"}, 1, []string{"-prompt and -output make 200 tokens", "holds 128: name shorter ones"}},
		{"too long in the grid", []string{"-url=" + good, "-prompts=10,100"}, 1, []string{"the longest of -prompts and -outputs make 300 tokens", "name shorter ones"}},
	} {
		t.Run(tt.name, tt.test)
	}
}

func TestBadFlags(t *testing.T) {
	for _, tt := range []refusal{
		{"-batches 0", []string{"-batches=0"}, 2, []string{`"0" for flag -batches`, "name some, separated by commas"}},
		{"-batches x", []string{"-batches=x"}, 2, []string{`"x" for flag -batches`, "name some, separated by commas"}},
		{"-batches twice", []string{"-batches=1,1"}, 2, []string{`"1,1" for flag -batches: 1 is named twice`, "name it once"}},
		{"unknown flag", []string{"-batch=4"}, 2, []string{"flag provided but not defined: -batch", "-help lists all flags"}},
		{"no flag", []string{"4", "-batches=2"}, 1, []string{`"4" is no flag`, "write lists without spaces"}},
		{"-prompt 0", []string{"-prompt=0"}, 1, []string{"-prompt and -output are 0 and 100", "name at least 1 token each"}},
		{"-warmup -1", []string{"-warmup=-1"}, 1, []string{"-warmup is -1", "name 0 or more"}},
		{"-stall-timeout 0", []string{"-stall-timeout=0"}, 1, []string{"-stall-timeout are 5m0s and 0s", "name times above 0"}},
		{"-metrics", []string{"-metrics=tok/s,nonsense"}, 1, []string{`-metrics names "nonsense"`, "-explain lists them"}},
		{"-quantiles 100", []string{"-quantiles=50,100"}, 1, []string{"-quantiles holds 100", "name whole percents from 1 to 99"}},
		{"-limits unknown", []string{"-limits=foo=1"}, 2, []string{`"foo=1" for flag -limits`, "-explain lists them"}},
		{"-limits no number", []string{"-limits=cpu"}, 2, []string{`"cpu" for flag -limits`, "NAME=NUMBER"}},
		{"-endpoint", []string{"-endpoint=x"}, 1, []string{`-endpoint is "x"`, "name completions or chat"}},
		{"-progress", []string{"-progress=on"}, 1, []string{`-progress is "on"`, "name auto or off"}},
		{"-extensions", []string{"-extensions=maybe"}, 1, []string{`-extensions is "maybe"`, "name auto, on or off"}},
	} {
		t.Run(tt.name, tt.test)
	}
}

func TestBadSystem(t *testing.T) {
	url := "-url=" + simulate(t, vllmsim.Config{})
	taken := t.TempDir()
	file := filepath.Join(taken, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	below := filepath.Join(file, "run")

	tests := []refusal{
		{"-record below a file", []string{url, "-record=" + below}, 1, []string{"cannot record into " + below, "name a folder that can be written"}},
		{"-record among other files", []string{url, "-record=" + taken}, 1, []string{"cannot record into " + taken + ": it holds file", "name an empty folder"}},
	}
	if runtime.GOOS == "linux" {
		tests = append(tests,
			refusal{"-record into /proc", []string{url, "-record=/proc/vllmbench/run"}, 1, []string{"cannot record into /proc/vllmbench/run", "name a folder that can be written"}},
			refusal{"too many open files", []string{url, "-batches=1000000000"}, 1, []string{"1000000000 requests in flight need 2000000064 open files", "raise it with ulimit -n 2000000064"}})
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.test)
	}
	t.Cleanup(func() {
		names, err := filepath.Glob(filepath.Join(taken, "*"))
		require.NoError(t, err)
		assert.Equal(t, []string{file}, names, "the refused folder was changed")
	})
}
