package bench

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
	"vllmbench/internal/vllmsim"
)

const (
	patience = 2 * time.Second // of the client's: until it gives a silent stream up
	hung     = time.Minute     // no stream lasts as long
)

// A campaign is a server in this process, and what was found of the streams that it was sent.
type campaign struct {
	t          *testing.T
	seed       uint64
	chatPrompt int // tokens of chatText, as the server counts
	config     [ways]client.Config
	book       book
	tally      tally
	server     *vllmsim.Server
	served     sync.WaitGroup
}

// newCampaign starts a server that does wrong by rules.
func newCampaign(t *testing.T, seed uint64, rules []string) *campaign {
	t.Helper()
	c := &campaign{t: t, seed: seed}
	config := vllmsim.Config{GPU: "H200", MaxModelLen: 4096, NumGPUBlocksOverride: kvBlocks, Timing: vllmsim.Timing{Step: 50 * time.Microsecond}}
	config.Faults.Seed, config.Faults.After, config.Faults.Truth = seed, warmUp, c.book.tell
	for _, text := range rules {
		r, err := vllmsim.ParseRule(text)
		require.NoError(t, err)
		config.Faults.Rules = append(config.Faults.Rules, r)
	}
	var err error
	c.server, err = vllmsim.New(config)
	require.NoError(t, err)
	for w := range ways {
		c.config[w] = client.Config{Model: "Qwen/Qwen2.5-7B", Streams: inFlight, FirstToken: patience, Stall: patience}
	}
	c.config[plain].BaseURL = "http://" + c.listen(func(l net.Listener) net.Listener { return l })
	c.config[byUser].BaseURL, c.config[byUser].UserStamps = c.config[plain].BaseURL, true
	c.secure(&c.config[encrypted])
	return c
}

// listen has the server answer on a port of its own.
func (c *campaign) listen(wrap func(net.Listener) net.Listener) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(c.t, err)
	c.served.Go(func() { assert.NoError(c.t, c.server.Serve(wrap(l))) })
	return l.Addr().String()
}

// end stops the server.
func (c *campaign) end() {
	assert.NoError(c.t, c.server.Close())
	c.served.Wait()
}

// learn has a server without faults count the tokens of chatText.
func (c *campaign) learn() {
	cl := c.client(plain)
	defer cl.Close()
	res := cl.Generate(c.t.Context(), client.Request{Endpoint: client.Chat, Text: chatText, OutputTokens: 1})
	require.Equal(c.t, client.OK, res.Outcome, res.Error)
	c.chatPrompt = res.PromptTokens
}

func (c *campaign) client(w way) *client.Client {
	cl, err := client.New(c.config[w])
	require.NoError(c.t, err)
	return cl
}

// send sends n streams, inFlight at a time. Those with kernel stamps share a
// client; each other worker has its own, which shows that a connection that
// nothing has broken is used again.
func (c *campaign) send(phase string, n int) {
	c.t.Helper()
	shared := c.client(plain)
	var next, broken atomic.Int64
	var workers sync.WaitGroup
	plains := 0
	for worker := range inFlight {
		w, cl := wayOf(worker), shared
		if w == plain {
			plains++
		} else {
			cl = c.client(w)
		}
		workers.Go(func() {
			cost := 0
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				f := c.one(cl, planned(c.seed, phase, i, c.chatPrompt))
				cost += f.broken()
				c.tally.add(w, f)
			}
			if cl == shared {
				broken.Add(int64(cost))
				return
			}
			assert.LessOrEqual(c.t, cl.Opened(), 1+cost, "%s: connections of a client with %s", phase, w)
			cl.Close()
		})
	}
	workers.Wait()
	// While a connection is being opened for a stream, that may get another one: then there is one more,
	// on a busy machine for each of the streams.
	assert.LessOrEqual(c.t, int64(shared.Opened()), 2*int64(plains)+broken.Load(), "%s: connections of %d streams at a time, %d of them broken", phase, plains, broken.Load())
	c.tally.userStamps = c.tally.userStamps || shared.Stamps() == client.UserStamps
	shared.Close()
}

// one sends a stream, and finds out what the server did to it.
func (c *campaign) one(cl *client.Client, req client.Request) *finding {
	ctx, cancel := context.WithTimeout(c.t.Context(), hung)
	defer cancel()
	told := c.book.open(req.CacheSalt)
	f := &finding{req: req, res: cl.Generate(ctx, req), epoch: cl.Epoch()}
	f.told = c.book.close(req.CacheSalt, told, f.res.Outcome == client.Connect)
	return f
}
