package vllmsim

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files of faults, and the table in docs/faults.md")

// faulty serves a server that heeds FaultHeader, and returns its address and
// the truth of each request.
func faulty(t testing.TB, c Config) (addr string, truths chan Truth) {
	t.Helper()
	truths = make(chan Truth, 100)
	c.Faults.Header, c.Faults.Truth = true, func(told Truth) { truths <- told }
	return strings.TrimPrefix(start(t, c), "http://"), truths
}

// next is the next truth, which comes with the end of a request.
func next(t testing.TB, truths chan Truth) Truth {
	t.Helper()
	select {
	case truth := <-truths:
		return truth
	case <-time.After(10 * time.Second):
		require.Fail(t, "the server has not ended the request")
		return Truth{}
	}
}

const (
	askCompletion = `{"prompt":[1,2,3],"max_tokens":4,"cache_salt":"s","stream":true,"stream_options":{"include_usage":true}}`
	askChat       = `{"messages":[{"role":"user","content":"hi"}],"max_tokens":4,"stream":true,"stream_options":{"include_usage":true}}`
)

// raw sends a request to addr, byte by byte as here.
func raw(t testing.TB, addr, path, body, fault string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: sim\r\nContent-Type: application/json\r\nX-Request-Id: id-1\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		path, FaultHeader, fault, len(body), body)
	require.NoError(t, err)
	return c
}

// readAnswer reads what c sends: to the end of the answer, or of the connection.
func readAnswer(c net.Conn) (answer []byte, end string) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		answer = append(answer, buf[:n]...)
		switch {
		case err == io.EOF:
			return answer, "closed"
		case errors.Is(err, os.ErrDeadlineExceeded):
			return answer, "open, silent"
		case err != nil:
			return answer, "reset"
		case bytes.HasSuffix(answer, []byte("\r\n0\r\n\r\n")), wholeBody(answer):
			return answer, "open, complete"
		}
	}
}

var contentLength = regexp.MustCompile(`\r\nContent-Length: (\d+)(?:\r\n|$)`)

func wholeBody(answer []byte) bool {
	header, body, ok := bytes.Cut(answer, []byte("\r\n\r\n"))
	m := contentLength.FindSubmatch(header)
	return ok && m != nil && string(m[1]) == fmt.Sprint(len(body))
}

// visible shows an answer with its lines' ends, without what differs from run to run.
func visible(answer []byte) string {
	s := string(answer)
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' }) {
		s = fmt.Sprintf("%q", s)
	}
	for _, n := range normalize[:2] {
		s = n.from.ReplaceAllString(s, n.to)
	}
	s = regexp.MustCompile(`Date: .*\r\n`).ReplaceAllString(s, "")
	return strings.ReplaceAll(s, "\r", "␍")
}

// told is a truth without its times.
func told(tr Truth) string {
	var tokens []int
	for _, e := range tr.Events {
		tokens = append(tokens, e.Tokens)
	}
	return fmt.Sprintf("%s %s: %s, status %d, %d prompt tokens, events of %v", tr.RequestID, joinFaults(tr.Faults), tr.End, tr.Status, tr.PromptTokens, tokens)
}

// wireCases are requests with faults whose answers do not depend on the clock.
var wireCases = []struct{ path, body, fault string }{
	{"/v1/completions", askCompletion, "none"},
	{"/v1/completions", askCompletion, "refuse"},
	{"/v1/completions", askCompletion, "reset-header"},
	{"/v1/completions", askCompletion, "http2"},
	{"/v1/completions", askCompletion, "status"},
	{"/v1/completions", askCompletion, "status=404/old"},
	{"/v1/completions", askCompletion, "status=503/text"},
	{"/v1/completions", askCompletion, "status=502/html"},
	{"/v1/completions", askCompletion, "status=429/nothing"},
	{"/v1/completions", askCompletion, "tokens=-2"},
	{"/v1/completions", askCompletion, "tokens=1,usage-output=-1"},
	{"/v1/completions", askCompletion, "finish"},
	{"/v1/completions", askCompletion, "finish=abort"},
	{"/v1/completions", askCompletion, "usage-prompt=-1"},
	{"/v1/completions", askCompletion, "usage"},
	{"/v1/completions", askCompletion, "usage=late"},
	{"/v1/completions", askCompletion, "join=3"},
	{"/v1/completions", askCompletion, "empty"},
	{"/v1/completions", askCompletion, "utf8"},
	{"/v1/chat/completions", askChat, "reasoning"},
	{"/v1/chat/completions", askChat, "role-first,reset@0"},
	{"/v1/completions", askCompletion, "swallow=2"},
	{"/v1/completions", askCompletion, "reset@2"},
	{"/v1/completions", askCompletion, "reset@done"},
	{"/v1/completions", askCompletion, "cut@0"},
	{"/v1/completions", askCompletion, "cut=inside"},
	{"/v1/completions", askCompletion, "end"},
	{"/v1/completions", askCompletion, "end@2"},
	{"/v1/completions", askCompletion, "early-done"},
	{"/v1/completions", askCompletion, "error"},
	{"/v1/completions", askCompletion, "error=old@0"},
	{"/v1/completions", askCompletion, "error=string"},
	{"/v1/completions", askCompletion, "error=comment"},
	{"/v1/completions", askCompletion, "error=event"},
	{"/v1/completions", askCompletion, "error=undone"},
	{"/v1/completions", askCompletion, "error=bare"},
	{"/v1/completions", askCompletion, "error,crlf,comments=2"},
	{"/v1/completions", askCompletion, "comments"},
	{"/v1/completions", askCompletion, "crlf"},
	{"/v1/completions", askCompletion, "burst=2"},
	{"/v1/completions", askCompletion, "usage=late,burst=4"},
	{"/v1/completions", askCompletion, "slow-end=20ms"},
	{"/v1/chat/completions", askChat, "stall=1ms@0"},
	{"/v1/completions", `{"prompt":[1,2,3],"max_tokens":4}`, "tokens=-1"},
	{"/v1/completions", `{"prompt":[]}`, "crlf"},
}

func TestFaultsOnTheWire(t *testing.T) {
	addr, truths := faulty(t, tiny())
	for _, c := range wireCases {
		t.Run(c.fault, func(t *testing.T) {
			answer, end := readAnswer(raw(t, addr, c.path, c.body, c.fault))
			got := fmt.Sprintf("%s\n=== %s\n=== %s\n", visible(answer), end, told(next(t, truths)))
			name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(c.fault, "-"), "-")
			if !strings.Contains(c.body, "stream") {
				name += "-whole"
			}
			golden(t, filepath.Join("testdata", "faults", name+".txt"), got)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run with -update")
	assert.Equal(t, string(want), got)
}

// TestSplitOnTheWire reads the parts of events, which are the same bytes in all.
func TestSplitOnTheWire(t *testing.T) {
	addr, truths := faulty(t, tiny())
	body := strings.Replace(askCompletion, `"max_tokens":4`, `"max_tokens":60`, 1)
	whole, _ := readAnswer(raw(t, addr, "/v1/completions", body, "utf8"))
	c := raw(t, addr, "/v1/completions", body, "utf8,split=4")
	var parts, inLetter, inFraming int
	var got []byte
	for buf := make([]byte, 4096); !bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")); parts++ {
		n, err := c.Read(buf)
		require.NoError(t, err)
		got = append(got, buf[:n]...)
		if n > 0 && buf[n-1] >= 0x80 && !bytes.HasSuffix(got, []byte("ß")) && !bytes.HasSuffix(got, []byte("ö")) {
			inLetter++
		}
		if buf[n-1] != '\n' && bytes.LastIndex(got, []byte("\r\n")) > bytes.LastIndex(got, []byte("\n\n")) {
			inFraming++
		}
	}
	assert.Equal(t, visible(whole), visible(got))
	assert.Greater(t, parts, 120, "60 tokens in up to 4 parts each")
	assert.Positive(t, inLetter, "parts that end in a letter")
	assert.Positive(t, inFraming, "parts that end in a chunk's framing")
	assert.Equal(t, Completed, next(t, truths).End)
	assert.Len(t, next(t, truths).Events, 60)
}
