package vllmsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const engineDied = "EngineCore encountered an issue. See stack trace (above) for the root cause."

// bodies are the shapes of an error's body, with its media type.
var bodies = map[string]func(e *apiError) (media, body string){
	"":        newShape,
	"new":     newShape,
	"old":     func(e *apiError) (string, string) { return "application/json", oldError(e) },
	"text":    func(e *apiError) (string, string) { return "text/plain; charset=utf-8", http.StatusText(e.Code) },
	"nothing": func(*apiError) (string, string) { return "text/plain; charset=utf-8", "" },
	"html": func(e *apiError) (string, string) {
		title := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
		return "text/html", "<html>\r\n<head><title>" + title + "</title></head>\r\n<body><h1>" + title + "</h1></body>\r\n</html>\r\n"
	},
}

func newShape(e *apiError) (string, string) {
	return "application/json", marshal(map[string]*apiError{"error": e})
}

// oldError is the body of vLLM up to 0.10.
func oldError(e *apiError) string {
	return marshal(struct {
		Object string `json:"object"`
		*apiError
	}{"error", e})
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here
	}
	return string(b)
}

func answerStatus(x *exchange, f Fault) error {
	_, shape, _ := strings.Cut(f.value, "/")
	media, body := bodies[shape](&apiError{Message: "vllmsim: a fault was asked for", Type: "Fault", Code: f.n})
	x.w.Header().Set("Content-Type", media)
	x.w.WriteHeader(f.n)
	_, _ = x.w.Write([]byte(body)) // an error means that the client has gone
	x.truth.Status, x.truth.End = f.n, Refused
	return errEnded
}

func errorEvent(x *exchange, f Fault) error {
	e := &apiError{Message: engineDied, Type: "InternalServerError", Code: http.StatusInternalServerError}
	_, body := newShape(e)
	data := "data: " + body
	switch f.value {
	case "old":
		data = "data: " + oldError(e)
	case "string":
		data = "data: " + marshal(map[string]string{"error": engineDied})
	case "comment":
		data = ": ping\n" + data
	case "event":
		data = "event: error\n" + data
	}
	switch f.value {
	case "bare":
	case "undone":
		data += "\n\n"
	default:
		data += "\n\n" + doneEvent
	}
	x.before(f, func(_ piece, next sink) error {
		if err := next(piece{kind: strayPiece, data: []byte(data)}); err != nil {
			return err
		}
		return errEnded
	})
	return nil
}
