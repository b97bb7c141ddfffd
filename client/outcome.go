package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"

	openai "github.com/sashabaranov/go-openai"
	"github.com/valyala/fastjson"

	"vllmbench/internal/secret"
)

// judge says how a stream that ended with err (io.EOF if it just ended) turned out.
func (res *Result) judge(f *flight, marks []mark, err error) (Outcome, string) {
	for _, m := range marks {
		if m.err != "" {
			return StreamError, m.err
		}
	}
	var (
		api  *openai.APIError
		much excess
	)
	switch {
	case errors.As(err, &much):
		return StreamError, much.Error()
	case errors.As(err, &api):
		return StreamError, api.Message
	case err != io.EOF:
		return StreamError, f.body.failure("the connection broke in mid-stream: " + err.Error())
	case !f.body.done():
		if msg := f.body.failure(""); msg != "" {
			return StreamError, msg
		}
		return Truncated, fmt.Sprintf("the stream closed without [DONE] after %d events", len(marks))
	case res.FinishReason == "":
		return Truncated, "the stream ended without a finish reason"
	case res.FinishReason == "abort" || res.FinishReason == "error":
		return StreamError, "the server ended the stream with finish reason " + res.FinishReason
	case !hasUsage(marks):
		return Truncated, "the stream ended without usage, so its tokens cannot be counted (does the server know stream_options.include_usage?)"
	}
	return res.measured(f.req)
}

// measured compares a whole stream's lengths with those asked for.
func (res *Result) measured(req *Request) (Outcome, string) {
	switch {
	case req.PromptTokens > 0 && res.PromptTokens != req.PromptTokens:
		return WrongLength, fmt.Sprintf("the server counted %d prompt tokens, not %d", res.PromptTokens, req.PromptTokens)
	case req.Exact && res.OutputTokens != req.OutputTokens:
		return WrongLength, fmt.Sprintf("the server generated %d tokens, not %d (finish reason %s)", res.OutputTokens, req.OutputTokens, res.FinishReason)
	case len(res.Events) == 0:
		return Truncated, "the stream ended without a token"
	}
	return OK, ""
}

func hasUsage(marks []mark) bool {
	for _, m := range marks {
		if m.usage {
			return true
		}
	}
	return false
}

// refusal says why there is no stream.
func refusal(f *flight, err error) (Outcome, string) {
	msg := err.Error()
	var api *openai.APIError
	var req *openai.RequestError
	switch {
	case errors.As(err, &api):
		msg = api.Message
	case errors.As(err, &req): // a body of another shape than OpenAI's
		msg = string(req.Body)
		if e, failed := errorOf(req.Body); failed {
			msg = e
		}
	}
	if msg == "" {
		msg = http.StatusText(f.status)
	}
	switch {
	case f.status >= 500:
		return HTTP5xx, fmt.Sprintf("HTTP %d: %s", f.status, msg)
	case f.status >= 400:
		return HTTP4xx, fmt.Sprintf("HTTP %d: %s", f.status, msg)
	case errors.Is(err, errRedirect):
		return HTTP4xx, msg
	}
	return Connect, msg
}

// interruption says whether a watchdog or the caller ended the request, which
// shows in go-openai's errors only as a cancelled context.
func interruption(parent, ctx context.Context, cfg Config) (Outcome, string) {
	switch cause := context.Cause(ctx); {
	case parent.Err() != nil:
		return Cancelled, "cancelled: " + context.Cause(parent).Error()
	case errors.Is(cause, errFirstToken):
		return TimeoutFirstToken, fmt.Sprintf("no token in %v", cfg.FirstToken)
	case errors.Is(cause, errStall):
		return TimeoutStall, fmt.Sprintf("no event in %v after the first token", cfg.Stall)
	}
	return "", ""
}

// failure finds an error event among the last bytes of the stream that
// go-openai passed over: one without a newline, or behind a comment.
func (b *body) failure(otherwise string) string {
	for line := range bytes.Lines(b.tail) {
		payload, _ := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data:"))
		if msg, failed := errorOf(payload); failed {
			return msg
		}
	}
	return otherwise
}

// errorOf is errorIn for what may not be JSON at all.
func errorOf(payload []byte) (msg string, failed bool) {
	v, err := fastjson.ParseBytes(payload)
	if err != nil {
		return "", false
	}
	return errorIn(v)
}

// clean makes a foreign text fit for one line of output, without the key.
func clean(s, key string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, secret.Redact(s, key)))
	const limit = 300
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + " ..."
	}
	return s
}
