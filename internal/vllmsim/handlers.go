package vllmsim

import "net/http"

func (s *Server) completions(w http.ResponseWriter, r *http.Request, body []byte) *apiError {
	g, refused := s.parseGeneration(body, defaultMaxTokens, s.completionPrompt)
	if refused == nil {
		s.serve(w, r, g, newCompletion)
	}
	return refused
}

func (s *Server) chatCompletions(w http.ResponseWriter, r *http.Request, body []byte) *apiError {
	g, refused := s.parseGeneration(body, s.MaxModelLen, s.chatPrompt)
	if refused == nil {
		s.serve(w, r, g, newChat)
	}
	return refused
}

// tokenize answers for a prompt or, with the chat template, for messages.
func (s *Server) tokenize(w http.ResponseWriter, r *http.Request, body []byte) *apiError {
	f, refused := s.parseForModel(body)
	if refused != nil {
		return refused
	}
	ids := []int32{}
	if f.get("messages") != nil {
		messages, refused := parseMessages(f)
		if refused != nil {
			return refused
		}
		ids = applyChatTemplate(messages)
	} else {
		text, ok := f.str("prompt")
		if !ok {
			return f.missing("prompt")
		}
		ids = append(ids, tokenize(text)...)
	}
	withStrings := f.bool("return_token_strs")
	if f.err != nil {
		return f.err
	}
	answer := struct {
		Count       int      `json:"count"`
		MaxModelLen int      `json:"max_model_len"`
		Tokens      []int32  `json:"tokens"`
		TokenStrs   []string `json:"token_strs"`
	}{len(ids), s.MaxModelLen, ids, nil}
	for i := 0; withStrings && i < len(ids); i++ {
		answer.TokenStrs = append(answer.TokenStrs, "Ġ"+detokenize(ids[i : i+1])[1:])
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func (s *Server) detokenize(w http.ResponseWriter, r *http.Request, body []byte) *apiError {
	f, refused := s.parseForModel(body)
	if refused != nil {
		return refused
	}
	v := f.get("tokens")
	if v == nil {
		return f.missing("tokens")
	}
	ids, refused := tokenIDs(v, "body.tokens")
	if refused != nil {
		return refused
	}
	writeJSON(w, http.StatusOK, map[string]string{"prompt": detokenize(ids)})
	return nil
}

// parseForModel reads a body whose model, if named, must be the one served.
func (s *Server) parseForModel(body []byte) (*fields, *apiError) {
	f, refused := parseBody(body)
	if refused != nil {
		return nil, refused
	}
	model, named := f.str("model")
	if named && f.err == nil && !s.serves(model) {
		return nil, noSuchModel(model, s.ServedModelName)
	}
	return f, f.err
}

func (s *Server) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"version": s.release()})
}

func (s *Server) resetPrefixCache(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]bool{"success": s.engine.resetPrefixCache()})
}
