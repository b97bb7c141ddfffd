package vllmsim

import (
	"io"
	"mime"
	"net/http"
	"strings"
)

// maxBody is the longest request that is read, in bytes. A prompt of a million
// token ids is about 7 MB.
const maxBody = 64 << 20

// routes has no pattern with a method, since the answer to a wrong method is
// vLLM's JSON, too.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, h http.HandlerFunc) { mux.Handle(path, only(http.MethodGet, h)) }
	post := func(path string, h http.HandlerFunc) { mux.Handle(path, only(http.MethodPost, h)) }

	post("/v1/completions", s.jsonBody(s.withFaults(s.completions)))
	post("/v1/chat/completions", s.jsonBody(s.withFaults(s.chatCompletions)))
	get("/v1/models", s.models)
	post("/tokenize", s.jsonBody(s.tokenize))
	post("/detokenize", s.jsonBody(s.detokenize))

	get("/health", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/ping", func(http.ResponseWriter, *http.Request) {})
	get("/version", s.version)
	get("/server_info", s.serverInfo)
	post("/reset_prefix_cache", s.resetPrefixCache)
	post("/pause", s.pause)
	post("/resume", s.resume)
	get("/is_paused", s.isPaused)
	get("/metrics", s.metricsPage())
	get(gpuPath, s.engine.gpu.page().ServeHTTP)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusNotFound, map[string]string{"detail": "Not Found"})
	})
	return s.identify(s.authorize(mux))
}

// identify marks every answer as not vLLM's.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "vllmsim")
		next.ServeHTTP(w, r)
	})
}

// authorize asks for the API key on /v1 only, as vLLM does.
func (s *Server) authorize(next http.Handler) http.Handler {
	if s.APIKey == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1") && r.Header.Get("Authorization") != "Bearer "+s.APIKey {
			writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func only(method string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != method {
			w.Header().Set("Allow", method)
			writeJSON(w, http.StatusMethodNotAllowed, map[string]string{"detail": "Method Not Allowed"})
			return
		}
		next(w, r)
	}
}

// jsonBody reads the body for a handler, and answers what the handler refuses.
func (s *Server) jsonBody(next func(http.ResponseWriter, *http.Request, []byte) *apiError) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || media != "application/json" {
			(&apiError{
				Message: "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed",
				Type:    "Bad Request", Code: http.StatusBadRequest,
			}).writeTo(w)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			badRequest("", "the request could not be read: send a body of its declared length, at most %d bytes", maxBody).writeTo(w)
			return
		}
		if refused := next(w, r, body); refused != nil {
			refused.writeTo(w)
		}
	}
}
