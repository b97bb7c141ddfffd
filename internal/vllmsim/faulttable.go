package vllmsim

// A faultKind is a row of the table of faults.
type faultKind struct {
	name   string
	value  valueKind
	preset string // the value if none is given
	at     int    // where in the stream if not told; nowhere: it has no place
	scrape bool   // of GET /metrics, not of a generation

	wire    string // what goes over it
	seen    string // where a server did so
	outcome string // of a client
	decide  func(Fault) string

	apply func(*exchange, Fault) error
}

// faultKinds is the table of faults, in the order in which they take effect.
// "vllm N" is a thread of vllm-project/vllm.
var faultKinds = []faultKind{
	{name: "stall-header", value: aTime(), preset: "ever", at: nowhere,
		wire: "nothing for TIME, not even the header", seen: "a full queue before the server; vllm 17972: it hangs while /health is 200",
		outcome: "timeout_first_token, ok if TIME is short", decide: stalled, apply: stallHeader},
	{name: "refuse", at: nowhere, wire: "the connection closes (FIN) instead of an answer",
		seen: "vllm 42362: the API server goes down with its engine", outcome: "connect",
		apply: func(*exchange, Fault) error { return errCut }},
	{name: "reset-header", at: nowhere, wire: "the connection is reset (RST) instead of an answer",
		seen: "vllm 7920, ROCm/ATOM 1381: no file descriptors left", outcome: "connect",
		apply: func(x *exchange, _ Fault) error { return x.reset() }},
	{name: "http2", at: nowhere, wire: "HTTP/2 frames (SETTINGS, GOAWAY HTTP_1_1_REQUIRED) instead of an answer, then the end",
		seen: "the port of a gRPC server", outcome: "connect", apply: goAway},
	{name: "status", value: aStatus(), preset: "500", at: nowhere,
		wire: "HTTP STATUS instead of a stream; SHAPE of its body: new `{\"error\":{...}}` (default), old `{\"object\":\"error\",...}`, text, html, nothing",
		seen: "vLLM 0.32 (new), vLLM up to 0.10 (old), routers and proxies (text, html)", outcome: "http_4xx or http_5xx", decide: refusedBy, apply: answerStatus},

	{name: "tokens", value: number("N", -32768, 32768), preset: "-1", at: nowhere,
		wire: "N tokens more than asked, or -N fewer with finish reason stop; usage and counters say so",
		seen: "NVIDIA/TensorRT-LLM 12358, ai-dynamo/dynamo 723, vllm 8531", outcome: "wrong_length", apply: otherLength},
	{name: "cached", at: nowhere, wire: "the prompt is replaced by a fixed one of its length, without salt: from the second on the prefix cache has it",
		seen: "vllm 54227, 52884: seeded prompts come again", outcome: "ok", apply: fixedPrompt},
	{name: "foreign", value: number("N", 1, 32768), preset: "8", at: nowhere,
		wire: "nothing; another client's request of 16 prompt and N generated tokens runs, too", seen: "any shared server", outcome: "ok", apply: foreign},
	{name: "count-output", value: number("N", -1e6, 1e6), preset: "1", at: nowhere,
		wire: "nothing; generation_tokens_total is N too high", seen: "counters of several API servers; tenstorrent/tt-inference-server 4356", outcome: "ok",
		apply: miscounted("vllm:generation_tokens_total")},
	{name: "count-prompt", value: number("N", -1e6, 1e6), preset: "1", at: nowhere,
		wire: "nothing; prompt_tokens_total is N too high", seen: "as count-output", outcome: "ok", apply: miscounted("vllm:prompt_tokens_total")},
	{name: "count-requests", value: number("N", -1e6, 1e6), preset: "1", at: nowhere,
		wire: "nothing; request_success_total of reason length is N too high", seen: "as count-output", outcome: "ok", apply: miscounted("vllm:request_success_total")},

	{name: "finish", value: oneOf("none", "abort", "error", "stop"), preset: "none", at: nowhere,
		wire: "the last token's event has this finish reason, or none", seen: "vLLM's finish reasons; vllm 57089 (abort), 49195 (error)",
		outcome: "truncated (none), stream_error (abort, error), ok (stop)", decide: finishedBy, apply: finish},
	{name: "usage-prompt", value: number("N", -1e6, 1e6), preset: "1", at: nowhere, wire: "usage has N prompt tokens too many",
		seen: "vllm 24937 (8179 of 8192), 42532: another tokenizer", outcome: "wrong_length", apply: usageOff(func(l *looks) *int { return &l.promptOff })},
	{name: "usage-output", value: number("N", -1e6, 1e6), preset: "1", at: nowhere, wire: "usage has N completion tokens too many",
		seen: "text tokenized again: kubernetes-sigs/inference-perf 82", outcome: "wrong_length", apply: usageOff(func(l *looks) *int { return &l.outputOff })},
	{name: "usage", value: oneOf("none", "late"), preset: "none", at: nowhere, wire: "the event with the usage is missing, or comes after [DONE]",
		seen: "servers that do not know stream_options.include_usage (none); no server known (late)", outcome: "truncated", apply: usage},
	{name: "join", value: number("N", 2, 1e6), preset: "2", at: nowhere, wire: "N tokens in an event",
		seen: "vLLM --stream-interval, speculative decoding; vllm 46652", outcome: "ok", apply: join},
	{name: "empty", value: number("N", 2, 1e6), preset: "2", at: nowhere, wire: "every N-th token has no text",
		seen: "vLLM 0.32: tokens that are special or end inside a character", outcome: "ok", apply: emptyText},
	{name: "utf8", at: nowhere, wire: "texts of letters of 2 to 4 bytes, not escaped", seen: "vLLM 0.32, any model that writes them", outcome: "ok", apply: utf8Text},
	{name: "reasoning", value: oneOf("reasoning", "reasoning_content"), preset: "reasoning", at: nowhere,
		wire: "chat: the first half of the tokens comes under this key, without content", seen: "vllm 27752, 33402: the key was renamed", outcome: "ok", apply: reasoning},
	{name: "role-first", at: nowhere, wire: "chat: the event with the role comes with the header, long before the first token",
		seen: "vllm 3759, 15106; sgl-project/sglang 29251", outcome: "ok", apply: roleFirst},
	{name: "swallow", value: number("N", 1, 1e6), preset: "1", at: 1, wire: "N tokens' events are not sent; usage counts them",
		seen: "reasoning and tool parsers; vllm 27485, sgl-project/sglang 36272", outcome: "ok", apply: swallow},

	{name: "stall", value: aTime(), preset: "ever", at: 1, wire: "nothing for TIME, then as before", seen: "vllm 17972, 1492",
		outcome: "timeout_first_token (@0), timeout_stall, ok if TIME is short", decide: stalled, apply: stall},
	{name: "reset", at: 1, wire: "the connection is reset (RST)", seen: "a process that is killed, a node that restarts", outcome: "stream_error", apply: resetLater},
	{name: "cut", value: oneOf("between", "inside", "half"), preset: "between", at: 1,
		wire: "the connection closes (FIN) without the last chunk: between two chunks, inside one, or the server's side only while it listens on",
		seen: "an API server that exits, a proxy's timeout; half: routers", outcome: "stream_error", apply: cut},
	{name: "end", at: atDone, wire: "the stream ends in good form, without [DONE]", seen: "proxies that lose their server; vllm 57089", outcome: "truncated",
		apply: func(x *exchange, f Fault) error {
			x.before(f, func(piece, sink) error { return errEnded })
			return nil
		}},
	{name: "early-done", at: 0, wire: "[DONE], with neither finish reason nor usage", seen: "vllm 40986: an error before the first token leaves [DONE] alone",
		outcome: "truncated", apply: earlyDone},
	{name: "error", value: oneOf("new", "old", "string", "comment", "event", "undone", "bare"), preset: "new", at: 1,
		wire: "an error event, then [DONE]: new `{\"error\":{...}}`, old `{\"object\":\"error\",...}`, string `{\"error\":\"...\"}`, new after a comment line or `event: error`, " +
			"new without [DONE] (undone) or even without a line's end (bare)",
		seen: "vLLM 0.32 (new), vLLM up to 0.10 (old); vllm 57519, 57089; vllm-project/guidellm 743", outcome: "stream_error", apply: errorEvent},
	{name: "restart", at: 1, wire: "nothing; all counters of /metrics begin anew, and the process's start time", seen: "a server restarted behind a router", outcome: "ok", apply: restart},

	{name: "comments", value: number("N", 1, 1000), preset: "1", at: nowhere, wire: "N comment lines `: ping` before each event",
		seen: "vLLM --sse-keep-alive-interval (vllm 51034), llama.cpp", outcome: "ok", apply: comments},
	{name: "crlf", at: nowhere, wire: "lines end with CR LF", seen: "the default of Litestar, which the standard allows", outcome: "ok", apply: crlf},
	{name: "burst", value: number("N", 2, 1000), preset: "4", at: nowhere, wire: "N events in one write", seen: "buffering proxies; tenstorrent/tt-inference-server 4681", outcome: "ok", apply: burst},
	{name: "split", value: number("N", 2, 100), preset: "3", at: nowhere,
		wire: "each write in up to N parts, cut anywhere: inside letters, lines and the framing of chunks", seen: "TCP, which keeps no bounds", outcome: "ok",
		apply: func(x *exchange, f Fault) error { x.split = f.n; return nil }},
	{name: "gzip", at: nowhere, wire: "Content-Encoding: gzip, although nobody asked for it", seen: "proxies that compress all", outcome: "truncated",
		apply: func(x *exchange, _ Fault) error { x.zipped = true; return nil }},
	{name: "slow-end", value: aTime(), preset: "ever", at: nowhere, wire: "the last chunk of HTTP/1.1 comes TIME after [DONE]",
		seen: "uvicorn writes it by itself; openai/openai-python 3580", outcome: "ok", apply: slowEnd},

	{name: "metrics-slow", value: aTime(), preset: "ever", at: nowhere, scrape: true, wire: "GET /metrics: nothing for TIME", seen: "a busy API server", apply: stallHeader},
	{name: "metrics-status", value: aStatus(), preset: "500", at: nowhere, scrape: true, wire: "GET /metrics: HTTP STATUS", seen: "routers without the page", apply: answerStatus},
	{name: "metrics-without", value: aFamily(), preset: "tokens", at: nowhere, scrape: true, wire: "GET /metrics: the families with NAME in their name are missing",
		seen:  "vLLM --disable-log-stats; renamed families (vLLM 0.9, 0.10)",
		apply: func(x *exchange, f Fault) error { x.without = append(x.without, f.value); return nil }},
}

func refusedBy(f Fault) string {
	if f.n >= 500 {
		return "http_5xx"
	}
	return "http_4xx"
}

func finishedBy(f Fault) string {
	switch f.value {
	case "none":
		return "truncated"
	case "stop":
		return "ok"
	}
	return "stream_error"
}

// stalled takes any time but "ever" for one that the client waits.
func stalled(f Fault) string {
	switch {
	case f.wait != forEver:
		return "ok"
	case f.at > 0:
		return "timeout_stall"
	}
	return "timeout_first_token"
}
