package vllmsim

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"time"
)

// An answer turns a job's tokens into one endpoint's JSON. Its methods append
// to a buffer, key by key in vLLM's order, since they run once for every token.
type answer interface {
	appendOpening(b []byte) []byte          // events before the first token
	appendTokens(b []byte, i, j int) []byte // the event of tokens i to j
	appendUsage(b []byte) []byte            // the event after the last token, if asked for
	appendWhole(b []byte) []byte            // the body of an answer that is no stream
}

const fingerprint = `,"system_fingerprint":"vllm-` + Version + `"`

// reply is what both endpoints' answers have in common.
type reply struct {
	*generation
	job  *job
	head string // id, object, created and model of an event, from the opening brace
	body string // the same of a whole answer
}

func newReply(g *generation, j *job, id, object, chunkObject string, modelJSON string) reply {
	created := strconv.FormatInt(time.Now().Unix(), 10)
	start := func(object string) string {
		return `{"id":"` + id + `","object":"` + object + `","created":` + created + `,"model":` + modelJSON
	}
	return reply{generation: g, job: j, head: "data: " + start(chunkObject), body: start(object)}
}

// newID returns an id as unlikely to be used twice as vLLM's.
func newID(prefix string) string {
	var b [8]byte
	for i, x := 0, rand.Uint64(); i < len(b); i, x = i+1, x>>8 {
		b[i] = byte(x)
	}
	return prefix + hex.EncodeToString(b[:])
}

// appendText appends the text of output tokens i to j; its letters need no escape.
func (r *reply) appendText(b []byte, i, j int) []byte {
	for ; i < j; i++ {
		b = orWord(r.text, b, i, r.job.Output(i))
	}
	return b
}

// orWord appends what text says of output token i, or else the word of its id.
func orWord(text tokenText, b []byte, i int, id int32) []byte {
	if text != nil {
		return text(b, i, id)
	}
	return appendWord(append(b, ' '), id)
}

// appendTokenIDs appends the ids of output tokens i to j, or null if they were
// not asked for.
func (r *reply) appendTokenIDs(b []byte, i, j int) []byte {
	if !r.returnTokenIDs {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for k := i; k < j; k++ {
		if k > i {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(r.job.Output(k)), 10)
	}
	return append(b, ']')
}

func (r *reply) appendPromptIDs(b []byte) []byte {
	if !r.returnTokenIDs {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i, id := range r.prompt {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return append(b, ']')
}

// appendUsageField appends `,"usage":{...` for n generated tokens, left open.
func (r *reply) appendUsageField(b []byte, n int) []byte {
	prompt := len(r.prompt) + r.promptOff
	n += r.outputOff
	b = append(b, `,"usage":{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(prompt), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(prompt+n), 10)
	b = append(b, `,"completion_tokens":`...)
	return strconv.AppendInt(b, int64(n), 10)
}

// appendUsage is the event with the final usage.
func (r *reply) appendUsage(b []byte) []byte {
	b = append(append(b, r.head...), `,"choices":[]`...)
	b = append(r.appendUsageField(b, r.maxTokens), '}')
	return append(b, fingerprint+"}\n\n"...)
}

// appendWholeUsage is the usage of an answer that is no stream.
func (r *reply) appendWholeUsage(b []byte) []byte {
	b = append(b, `,"service_tier":null`+fingerprint...)
	b = r.appendUsageField(b, r.maxTokens)
	return append(b, `,"prompt_tokens_details":null,"completion_tokens_details":null}`...)
}

// endsHere reports whether the event up to token j is the last before [DONE],
// which then carries the fingerprint.
func (r *reply) endsHere(j int) bool { return j == r.maxTokens && !r.includeUsage }

func (r *reply) finishReason(j int) string {
	switch {
	case j < r.maxTokens:
		return "null"
	case r.finish != "":
		return r.finish
	}
	return `"length"`
}
