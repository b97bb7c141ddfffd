package vllmsim

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A pipeListener hands out connections within the process, which a fake clock
// can wait for.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	server, client := net.Pipe()
	l.conns <- server
	return client, nil
}

// On a fake clock a client sees the plan to the nanosecond, through HTTP.
func TestStreamOnAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(Config{SleepUntil: RuntimeSleep, NoAsyncScheduling: true})
		require.NoError(t, err)
		l := &pipeListener{make(chan net.Conn), make(chan struct{})}
		go s.Serve(l)
		defer s.Close()
		client := &http.Client{Transport: &http.Transport{DialContext: l.dial}}
		defer client.CloseIdleConnections()

		start := time.Now()
		resp, err := client.Post("http://vllmsim/v1/completions", "application/json",
			strings.NewReader(`{"prompt":[1,2,3,4,5],"max_tokens":20,"stream":true}`))
		require.NoError(t, err)
		defer resp.Body.Close()
		assert.Zero(t, time.Since(start), "the headers come at once")

		var end time.Duration
		events := bufio.NewScanner(resp.Body)
		for i, step := range steps(t, 5, 20) {
			end += step
			require.True(t, events.Scan())
			require.Contains(t, events.Text(), `"text":" `)
			require.Equal(t, end, time.Since(start), "token %d", i)
			require.True(t, events.Scan())
		}
		require.True(t, events.Scan())
		assert.Equal(t, "data: [DONE]", events.Text())
		for events.Scan() {
			assert.Empty(t, events.Text())
		}
	})
}
