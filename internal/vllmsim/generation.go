package vllmsim

// A generation is what a completion or chat request asks for, checked.
type generation struct {
	modelJSON string // as the request named it, a JSON string
	prompt    []int32
	maxTokens int
	salt      string
	priority  int // less is sooner, if the server orders by it

	stream          bool
	includeUsage    bool // a last event with the usage
	continuousUsage bool // the usage in every event
	interval        int  // tokens in an event, but for the first
	returnTokenIDs  bool

	looks
}

// looks are what faults change of an answer. The zero value changes nothing.
type looks struct {
	text                 tokenText
	finish               string // the finish reason, as JSON; "": length
	thinking             string // chat: the key of the first texts
	thoughts             int    // chat: how many tokens these are
	promptOff, outputOff int    // what usage has too much
}

// A tokenText appends the text of output token i.
type tokenText func(b []byte, i int, id int32) []byte

// parseGeneration reads the fields that both endpoints share, in the order in
// which vLLM refuses them. The default of max_tokens and the prompt's reader are
// the endpoint's own.
func (s *Server) parseGeneration(body []byte, defaultTokens int, prompt func(*fields) ([]int32, *apiError)) (*generation, *apiError) {
	f, refused := parseBody(body)
	if refused != nil {
		return nil, refused
	}
	g := &generation{
		stream:         f.bool("stream"),
		returnTokenIDs: f.bool("return_token_ids"),
	}
	salt, salted := f.str("cache_salt")
	g.salt = salt
	if salted && salt == "" && f.err == nil {
		return nil, badRequest("cache_salt", "Parameter 'cache_salt' must be a non-empty string if provided. (parameter=cache_salt)")
	}
	if refused := g.parseStreamOptions(f); refused != nil {
		return nil, refused
	}
	if refused := s.parseModel(f, g); refused != nil {
		return nil, refused
	}
	maxTokens, limited := f.integer("max_completion_tokens", "max_tokens")
	minTokens, _ := f.integer("min_tokens")
	g.priority, _ = f.integer("priority")
	interval, _ := f.integer("stream_interval")
	g.interval = max(interval, s.StreamInterval)
	if choices, given := f.integer("n"); given && choices != 1 && f.err == nil {
		return nil, badRequest("n", "n must be 1 on this server, got %d: it generates one choice a request.", choices)
	}
	if f.err != nil {
		return nil, f.err
	}
	if limited && maxTokens >= 1 && minTokens > maxTokens {
		return nil, badRequest("", "min_tokens must be less than or equal to max_tokens=%d, got %d.", maxTokens, minTokens)
	}
	if g.prompt, refused = prompt(f); refused != nil {
		return nil, refused
	}
	if !limited {
		maxTokens = min(defaultTokens, s.MaxModelLen)
	}
	return g, s.bound(g, maxTokens)
}

// eventEnd returns up to which token the event goes that begins after n tokens.
func (g *generation) eventEnd(n int) int {
	if n == 0 {
		return 1
	}
	return min(n+g.interval, g.maxTokens)
}

func (g *generation) parseStreamOptions(f *fields) *apiError {
	options := f.object("stream_options")
	if options == nil {
		return nil
	}
	if !g.stream && f.err == nil {
		return badRequest("stream_options", "Stream options can only be defined when `stream=True`. (parameter=stream_options)")
	}
	g.includeUsage = options.bool("include_usage")
	g.continuousUsage = options.bool("continuous_usage_stats") && g.includeUsage
	return options.err
}

// bound checks g against the longest context and vocabulary. As in vLLM, an
// output that does not fit behind its prompt is cut, not refused.
func (s *Server) bound(g *generation, maxTokens int) *apiError {
	limit := s.MaxModelLen
	if n := len(g.prompt); n > limit {
		least := ""
		if n == limit+1 {
			least = "at least " // reading may have stopped there
		}
		return badRequest("input_tokens", "This model's maximum context length is %d tokens. However, your prompt contains %s%d input tokens, "+
			"which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. "+
			"(parameter=input_tokens, value=%d)", limit, least, n, n)
	}
	if maxTokens > limit {
		return badRequest("max_tokens", "max_tokens=%d cannot be greater than max_model_len=%d. "+
			"Please request fewer output tokens. (parameter=max_tokens, value=%d)", maxTokens, limit, maxTokens)
	}
	g.maxTokens = min(maxTokens, limit-len(g.prompt))
	if g.maxTokens < 1 {
		return badRequest("max_tokens", "max_tokens must be at least 1, got %d. (parameter=max_tokens, value=%d)", g.maxTokens, g.maxTokens)
	}
	for _, id := range g.prompt {
		if int(id) >= max(s.model.Vocab, vocabulary) {
			return badRequest("", "Token id %d is out of vocabulary", id)
		}
	}
	return nil
}
