//go:build !race

// The race detector makes the client too slow to read one event at a time.

package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	stampStreams = 256
	stampTokens  = 60
)

// TestKernelStamps holds both kinds of stamps against the sender's own record
// of when it wrote, on a client whose only core is busy with something else.
func TestKernelStamps(t *testing.T) {
	t.Run("conn", func(t *testing.T) { testStamps(t, readConn) })
	t.Run("Generate", func(t *testing.T) { testStamps(t, generate) })
}

type arrivals map[int]arrival // by the token's number in its stream

func testStamps(t *testing.T, read func(t *testing.T, c *Client, name string) arrivals) {
	url, pid := startSender(t, senderConfig{Interval: 20 * ms})
	split(t, pid)
	c, err := New(Config{BaseURL: url, Model: "tiny", Streams: stampStreams})
	require.NoError(t, err)
	defer c.Close()

	got := make([]arrivals, stampStreams)
	stop := spin()
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = read(t, c, strconv.Itoa(i)) })
	}
	wg.Wait()
	stop()

	sends := sendsOf(t, url)
	var kernel, user []time.Duration
	late, unstamped := 0, 0
	for i, as := range got {
		for n, a := range as {
			s := sends[strconv.Itoa(i)][n]
			switch at := time.Duration(s.At - c.Epoch().UnixNano()); {
			case time.Duration(s.Took) >= ms:
				late++ // the sender was interrupted: nobody knows when its bytes left
			case !a.stamped:
				unstamped++
			default:
				kernel = append(kernel, (a.at - at).Abs())
				user = append(user, (a.seen - at).Abs())
			}
		}
	}
	t.Logf("%d of %d tokens came alone and are compared; not %d whose send took 1 ms or more, %d without a stamp", len(kernel), stampStreams*stampTokens, late, unstamped)
	require.Greater(t, len(kernel), 1000, "too few tokens to judge by")
	t.Logf("|kernel stamp - send|: p50 %v, p99 %v", quantile(kernel, 50), quantile(kernel, 99))
	t.Logf("|user stamp - send|:   p50 %v, p99 %v", quantile(user, 50), quantile(user, 99))
	assert.Less(t, unstamped, len(kernel)/100)
	assert.Less(t, quantile(kernel, 99), ms)
	assert.Greater(t, quantile(user, 99), quantile(kernel, 99))
}

// quantile is the pth percentile by nearest rank.
func quantile(ds []time.Duration, p int) time.Duration {
	slices.Sort(ds)
	return ds[(len(ds)*p+99)/100-1]
}

// spin keeps a processor busy until stop is called.
func spin() (stop func()) {
	var stopped atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stopped.Load() {
		}
	})
	return func() { stopped.Store(true); wg.Wait() }
}

func sendsOf(t *testing.T, url string) (sends map[string][]send) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&sends))
	return sends
}

// readConn reads a stream from a bare connection. All token events but the
// last have one length, so the number of bytes tells which token was the last to come.
func readConn(t *testing.T, c *Client, name string) arrivals {
	nc, err := c.dial(t.Context(), "tcp", c.cfg.BaseURL[len("http://"):])
	if !assert.NoError(t, err) {
		return nil
	}
	defer nc.Close()
	f := flight{ctx: t.Context()}
	f.take(nc.(*conn))
	body := fmt.Sprintf(`{"prompt":%q,"max_tokens":%d}`, name, stampTokens)
	_, err = fmt.Fprintf(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	assert.NoError(t, err)

	assert.NoError(t, nc.(*conn).Conn.(*net.TCPConn).CloseWrite()) // the sender closes after the stream

	as := arrivals{}
	length := len(chunked(fmt.Sprintf(vllmEvent, "null")))
	for total, p := -len(streamHead), make([]byte, 4096); ; {
		n, err := nc.Read(p)
		if err != nil {
			assert.Equal(t, io.EOF, err)
			return as
		}
		if total += n; total > 0 && total%length == 0 && total/length < stampTokens {
			_, _, as[total/length-1] = f.times()
		}
	}
}

// generate reads a stream through go-openai. Events that were read together have no time of their own.
func generate(t *testing.T, c *Client, name string) arrivals {
	res := c.Generate(t.Context(), Request{Text: name, OutputTokens: stampTokens, Exact: true})
	assert.Equal(t, OK, res.Outcome, res.Error)
	as := arrivals{}
	for i, e := range res.Events {
		if alone := !e.Merged && (i+1 == len(res.Events) || !res.Events[i+1].Merged); alone {
			as[i] = arrival{at: e.At, seen: e.At + e.Lag, stamped: e.Lag > 0}
		}
	}
	return as
}
