package bench

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/vllmsim"
)

// TestServerThatClosesConnections does so after each answer, as llama.cpp's does, and
// says little of itself.
func TestServerThatClosesConnections(t *testing.T) {
	t.Parallel()
	few := offer([]string{"/v1/models", "/v1/completions"}, "")
	closing := proxy{anonymous: true, refuse: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Header().Set("Connection", "close")
		return few(w, r, body)
	}}
	c := runChild(t, tiny("-url="+closing.before(t, simulate(t, vllmsim.Config{})))...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, tinyCells, c.cells())
	assert.Equal(t, []string{"the server closes each one after its answer, so every request opens its own: that time is in turnaround-% and in throughput, not in TTFT"},
		c.comments("connections: "))
	assert.Equal(t, []string{"that prompts are as long as asked (prompt-tok/req says how long they were); " +
		"that the server counted what we did, and had no prompt in its cache; the server's own TTFT and ITL"}, c.comments("not proven in any row: "))
	assert.Equal(t, []string{"about as asked: the server does not say how long a text is (POST /tokenize: 404 Not Found): its prompts cannot be made of an exact length"},
		c.comments("prompt lengths: "))
}

// TestClosedByAFault is a server that keeps connections, and closes some: that is no manner of its own.
func TestClosedByAFault(t *testing.T) {
	t.Parallel()
	n := 0
	some := proxy{refuse: func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		if generates(r.URL.Path) {
			if n++; n%3 == 0 {
				w.Header().Set("Connection", "close")
			}
		}
		return false
	}}
	c := runChild(t, tiny("-test.bench=Latency", "-test.benchtime=4x", "-url="+some.before(t, simulate(t, vllmsim.Config{})))...)
	assert.Regexp(t, `^void: \d connections were opened inside the window`, voided(t, c))
	assert.Empty(t, c.comments("connections: "))
}

// TestChatTemplateIsNotCached has blocks so small that what the chat template
// puts before each message fills some.
func TestChatTemplateIsNotCached(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{BlockSize: 1})
	c, row := lone(t, "-endpoint=chat", "-test.benchtime=4x", "-require-ledger", "-url="+url)
	assert.Zero(t, c.status(), c.all())
	balanced(t, &row)
}

// TestShortChat skips what is shorter than the chat template with the shortest message.
func TestShortChat(t *testing.T) {
	t.Parallel()
	c := runChild(t, tiny("-endpoint=chat", "-prompts=7,8,30", "-prompt=8", "-metrics=prompt-tok/req", "-url="+simulate(t, vllmsim.Config{}))...)
	assert.Zero(t, c.status(), c.all())
	assert.Equal(t, []string{"SeqLen/prompt=7/output=8: the chat template takes 5 tokens, so the shortest prompt has 8"}, c.comments("skipped "))
	for _, r := range c.results() {
		got, ok := r.Value("prompt-tok/req")
		assert.True(t, ok)
		want := 8.0
		if string(r.Name.Full()) == "SeqLen/prompt=30/output=8-2" || r.Name.String() == "SeqLen/prompt=30/output=8" {
			want = 30
		}
		assert.Equal(t, want, got, r.Name)
	}
}
