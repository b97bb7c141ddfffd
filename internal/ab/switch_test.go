//go:build unix

package ab

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/trust"
)

// switching measures one server that commands switch.
func (b *bed) switching() Config {
	c := b.config()
	note := func(side string) string {
		return fmt.Sprintf("echo to %s | tee -a '%s'", side, filepath.Join(b.dir, "switches"))
	}
	c.A, c.B = Side{URL: b.url, Switch: note("a")}, Side{URL: b.url, Switch: note("b")}
	return c
}

// TestSwitch looks at when commands run: only where the side changes.
func TestSwitch(t *testing.T) {
	b := newBed(t)
	c := b.switching()
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	var want strings.Builder
	for _, side := range []string{"a", "b", "a", "b", "a", "b"} { // A BB A B AA B
		fmt.Fprintf(&want, "to %s\n", side)
	}
	assert.Equal(t, want.String(), b.read(filepath.Join(b.dir, "switches")))
	assert.Equal(t, want.String(), b.read(filepath.Join(c.Dir, "switch.log")))
	assert.Contains(t, b.progress.String(), "note: both sides tell the same settings: max-num-seqs=8\n")
	b.files("a.txt", "b.txt", "switch.log")
}

// TestSwitchLeavesAServer has the command leave a process behind that holds its output open.
func TestSwitchLeavesAServer(t *testing.T) {
	b := newBed(t)
	c := b.switching()
	c.Blocks = 1
	pids := filepath.Join(b.dir, "pids")
	c.A.Switch = fmt.Sprintf("sleep 600 & echo $! >>'%s'", pids)
	t.Cleanup(func() { assert.NoError(t, shell(context.Background(), fmt.Sprintf("xargs kill <'%s'", pids)).Run()) })
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	assert.Len(t, strings.Fields(b.read(pids)), 2)
	require.NoError(t, shell(t.Context(), fmt.Sprintf("xargs kill -0 <'%s'", pids)).Run(), "they still run")
}

func TestSwitchFails(t *testing.T) {
	b := newBed(t)
	c := b.switching()
	c.B.Switch = "echo starting; echo 'out of memory' >&2; exit 3"
	_, err := Run(t.Context(), c)
	require.EqualError(t, err, "the switch command of b failed (exit status 3): see "+filepath.Join(c.Dir, "switch.log")+
		", which ends with: out of memory; kept: 1 of 8 legs in "+filepath.Join(c.Dir, "a.partial.txt"))

	c.B.Switch = "kill -9 $$"
	_, err = Run(t.Context(), c)
	require.ErrorContains(t, err, "the switch command of b failed (signal: killed): see ")

	c.B.Switch, c.SwitchTimeout = "exec sleep 600", time.Millisecond
	c.A.Switch = c.B.Switch
	_, err = Run(t.Context(), c)
	require.EqualError(t, err, "switching to a: it took longer than 1ms, the switch timeout")
}

// TestInterruptedSwitch ends the run while a command runs.
func TestInterruptedSwitch(t *testing.T) {
	b := newBed(t)
	c := b.switching()
	ctx, cancel := context.WithCancel(t.Context())
	c.Progress = writer(func([]byte) { cancel() }) // after the first leg
	_, err := Run(ctx, c)
	assert.EqualError(t, err, "the run was interrupted; kept: 1 of 8 legs in "+filepath.Join(c.Dir, "a.partial.txt"))
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

// TestNoShell gives URLs that a shell would take for commands.
func TestNoShell(t *testing.T) {
	b := newBed(t)
	c := b.config()
	c.Blocks = 1
	made := filepath.Join(b.dir, "made")
	c.A.URL = b.url + "/$(touch${IFS}" + made + ")"
	c.B.URL = b.url + "/;touch%20" + made + "`touch${IFS}" + made + "`"
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "-url="+c.A.URL, b.calls()[0].Args[4])
	assert.Equal(t, "-url="+c.B.URL, b.calls()[1].Args[4])
	assert.NoFileExists(t, made)
}

// TestAnswers asks servers that know /health, only /v1/models, or neither.
func TestAnswers(t *testing.T) {
	status := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer k", r.Header.Get("Authorization"))
		code, ok := status[r.URL.Path]
		if !ok {
			code = http.StatusNotFound
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(s.Close)
	for _, c := range []struct {
		health, models int
		want           string
	}{
		{200, 404, ""},
		{404, 200, ""},
		{503, 200, "it answers with status 503"},
		{404, 401, "it answers with status 401"},
	} {
		status["/health"], status["/v1/models"] = c.health, c.models
		for _, url := range []string{s.URL, s.URL + "/", s.URL + "/v1", s.URL + "/v1/"} {
			err := answers(t.Context(), trust.Client(nil), url, "k")
			if c.want == "" {
				assert.NoError(t, err, url)
			} else {
				assert.EqualError(t, err, c.want, url)
			}
		}
	}
}

// TestAwait waits, on a fake clock, for a server that nobody starts.
func TestAwait(t *testing.T) {
	asked := 0
	client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		if asked++; asked > 5 {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		}
		return nil, os.ErrDeadlineExceeded
	})}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, fmt.Errorf("too long"))
		defer cancel()
		err := await(ctx, client, "http://h:1", "")
		assert.ErrorContains(t, err, "too long; before: ")
		assert.Equal(t, 500*time.Millisecond, time.Since(start))
		assert.NoError(t, await(t.Context(), client, "http://h:1", ""))
		assert.Equal(t, 6, asked)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
