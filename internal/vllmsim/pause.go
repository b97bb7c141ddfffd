package vllmsim

import "net/http"

// pause freezes the engine after the step in progress, as vLLM does: requests
// are queued, and all go on with /resume. Unless clear_cache=false, it empties
// the prefix cache if no request runs. It knows vLLM's mode "keep" only.
func (s *Server) pause(w http.ResponseWriter, r *http.Request) {
	if mode := r.URL.Query().Get("mode"); mode != "keep" {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "this server pauses with mode=keep only, got mode=" + mode})
		return
	}
	clearCache := r.URL.Query().Get("clear_cache") != "false"
	s.engine.await(func() {
		s.engine.paused = true
		if clearCache {
			s.engine.sched.ResetPrefixCache()
		}
	})
	writeJSON(w, http.StatusOK, map[string]string{"status": "paused"})
}

func (s *Server) resume(w http.ResponseWriter, _ *http.Request) {
	s.engine.await(func() { s.engine.paused = false })
	writeJSON(w, http.StatusOK, map[string]string{"status": "resumed"})
}

func (s *Server) isPaused(w http.ResponseWriter, _ *http.Request) {
	var paused bool
	s.engine.await(func() { paused = s.engine.paused })
	writeJSON(w, http.StatusOK, map[string]bool{"is_paused": paused})
}

// await runs do between two steps and waits for its end. It reports false when
// the engine stopped before.
func (e *engine) await(do func()) bool {
	done := make(chan struct{})
	e.between(func() {
		do()
		close(done)
	})
	select {
	case <-done:
		return true
	case <-e.stopped:
		return false
	}
}
