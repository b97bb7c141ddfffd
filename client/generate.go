package client

import (
	"cmp"
	"context"
	"io"

	openai "github.com/sashabaranov/go-openai"
)

// A rawStream is what go-openai's two kinds of stream have in common.
type rawStream interface {
	RecvRaw() ([]byte, error)
	Close() error
}

// Generate sends req and reads its answer to the end. It never fails: the
// result's Outcome says what happened.
func (c *Client) Generate(ctx context.Context, req Request) Result {
	f := &flight{req: &req, model: cmp.Or(req.Model, c.cfg.Model)}
	res := Result{Intended: req.Intended, Scheduled: req.Intended != 0, Model: req.Model, Turn: req.Turn, Seen: req.Seen}
	if res.Intended == 0 {
		res.Intended = c.clock.now()
	}
	parent := ctx
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, flightKey{}, f))
	defer cancel(nil)
	f.ctx = ctx
	w := watch(c.cfg.FirstToken, c.cfg.Stall, cancel)
	defer w.stop()

	stream, err := c.open(ctx, &req)
	res.note(f)
	if err == nil {
		var marks []mark
		marks, err = c.receive(f, stream, w)
		if err == io.EOF {
			_, _, last := f.times()
			res.End = last.at
		}
		w.stop() // draining has a limit of its own
		stream.Close()
		res.settle(f, marks)
		res.OutputIDs = outputIDs(f.kept)
		res.FinishReason = clean(res.FinishReason, c.cfg.APIKey)
		res.Outcome, res.Error = res.judge(f, marks, err)
	} else {
		res.Outcome, res.Error = refusal(f, err)
	}
	if cause, msg := interruption(parent, ctx, c.cfg); cause != "" && res.Outcome != OK {
		res.Outcome, res.Error = cause, msg
	}
	res.Error = clean(res.Error, c.cfg.APIKey)
	if res.End == 0 {
		res.End = c.clock.now()
	}
	return res
}

// open sends the request and returns when the answer's header is there. The
// model's real name is patched in later, since go-openai refuses some by name.
func (c *Client) open(ctx context.Context, req *Request) (rawStream, error) {
	usage := &openai.StreamOptions{IncludeUsage: true}
	if req.Endpoint == Chat {
		return c.api.CreateChatCompletionStream(ctx, openai.ChatCompletionRequest{
			Model:         "model",
			Messages:      req.messages(),
			StreamOptions: usage,
		})
	}
	return c.api.CreateCompletionStream(ctx, openai.CompletionRequest{
		Model:         "model",
		Prompt:        req.Text,
		StreamOptions: usage,
	})
}

// messages is the conversation as go-openai has it.
func (r *Request) messages() []openai.ChatCompletionMessage {
	if r.Messages == nil {
		return []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: r.Text}}
	}
	out := make([]openai.ChatCompletionMessage, len(r.Messages))
	for i, m := range r.Messages {
		out[i] = openai.ChatCompletionMessage{Role: m.Role, Content: m.Content}
	}
	return out
}

// receive reads events until the stream's end or an error. An event is
// stamped first and parsed then, while the server works on the next one.
func (c *Client) receive(f *flight, stream rawStream, w *watchdog) ([]mark, error) {
	marks := make([]mark, 0, f.req.OutputTokens+4)
	for {
		payload, err := stream.RecvRaw()
		if err != nil {
			return marks, err
		}
		_, _, last := f.times()
		m := mark{arrival: last}
		if len(payload) == 0 { // go-openai met an error event that it could not read
			m.err = f.body.failure("the server sent an error event that could not be read")
		} else {
			m.chunk = c.parse(payload)
			f.keep(payload)
		}
		w.event(m.token())
		marks = append(marks, m)
		if err := tooMany(len(marks), f.req.OutputTokens); err != nil {
			return marks, err
		}
	}
}

// note takes what the connection knows of f by the time its header is there.
func (res *Result) note(f *flight) {
	res.Reused, res.Attempts, res.Connect = f.reused, f.attempts, f.connect
	sent, first, _ := f.times()
	res.Sent, res.FirstByte = sent, first.at
}

// settle draws the stream's balance: tokens, usage, finish reason.
func (res *Result) settle(f *flight, marks []mark) {
	for _, m := range marks {
		if m.usage {
			res.PromptTokens, res.OutputTokens, res.CachedTokens = m.prompt, m.completion, m.cached
		}
		if m.finish != "" {
			res.FinishReason = m.finish
		}
		if f.stamps() && !m.stamped {
			res.Unstamped++
		}
	}
	n := res.OutputTokens
	if !hasUsage(marks) { // the events are all there is, and the outcome will not be OK
		_, n = byText(marks)
	}
	res.Events, res.Estimated = credit(marks, n)
}
