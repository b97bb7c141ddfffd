package client

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fastjson"
)

// listing is three tokens in two events, with their ids, between what else there may be.
func listing() string {
	return stream(
		": ping\n\n",
		event(`{"choices":[{"index":0,"text":" a","finish_reason":null,"prompt_token_ids":[1,2,3,4,5],"token_ids":[70000]}]}`),
		event(`{"choices":[{"index":0,"text":"","finish_reason":"length","token_ids":[0,9]}]}`),
		usage(5, 3), doneEvent)
}

func TestOutputIDs(t *testing.T) {
	req := three()
	req.ReturnIDs, req.Turn, req.Seen = true, 3, 2
	res := ask(t, req, func(w *wire) { w.say(listing()) })
	assert.Equal(t, OK, res.Outcome, res.Error)
	assert.Equal(t, []int{70000, 0, 9}, res.OutputIDs)
	assert.Equal(t, []int{1, 2}, tokens(res))
	assert.Equal(t, 3, res.Turn)
	assert.Equal(t, 2, res.Seen)

	res = ask(t, three(), func(w *wire) { w.say(listing()) })
	assert.Equal(t, OK, res.Outcome, res.Error)
	assert.Nil(t, res.OutputIDs, "nobody asked for them")

	res = ask(t, req, func(w *wire) {
		w.say(stream(text("a", ""), text("b", ""), text("c", "length"), usage(5, 3), doneEvent))
	})
	assert.Equal(t, OK, res.Outcome, res.Error)
	assert.Nil(t, res.OutputIDs, "a server that does not know the field")
}

func TestReturnIDsIsAsked(t *testing.T) {
	s := listen(t, func(w *wire) { w.say(listing()) })
	req := three()
	for _, req.ReturnIDs = range []bool{true, false} {
		s.client(t, Config{}).Generate(t.Context(), req)
	}
	_, wires := s.requests()
	require.Len(t, wires, 2)
	assert.True(t, fastjson.GetBool([]byte(wires[0].body), "return_token_ids"))
	assert.False(t, fastjson.Exists([]byte(wires[1].body), "return_token_ids"))
}

func FuzzOutputIDs(f *testing.F) {
	f.Add([]byte(`{"choices":[{"token_ids":[1,2]}]}`), []byte(`{"choices":[]}`))
	f.Add([]byte(`{"choices":[1]}`), []byte(`{"choices":[{"token_ids":["a",1e99,null]}]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		n := 0
		for _, payload := range [][]byte{a, b} {
			var p fastjson.Parser
			c := parseChunk(&p, payload)
			if c.err != "" {
				return // the stream's end
			}
			n += c.ids
		}
		assert.Len(t, outputIDs([][]byte{a, b}), n, "as many as the events were credited with")
	})
}
