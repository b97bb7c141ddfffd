package vllmsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/valyala/fastjson"
)

// An apiError is a refusal in vLLM's words: clients match on its texts.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    int     `json:"code"` // the HTTP status
}

func (e *apiError) Error() string { return e.Message }

// badRequest refuses the values of a well-formed request.
func badRequest(param, format string, args ...any) *apiError {
	e := &apiError{Message: fmt.Sprintf(format, args...), Type: "BadRequestError", Code: http.StatusBadRequest}
	if param != "" {
		e.Param = &param
	}
	return e
}

// invalid refuses a field's type, as the validation in front of vLLM's
// handlers does. The location is "body" or below it; input is what was there,
// or the object in which something is missing.
func invalid(location, kind, message string, input *fastjson.Value) *apiError {
	return invalidDetail(location, fmt.Sprintf("{'type': '%s', 'loc': '%s', 'msg': '%s', 'input': '%s'}",
		kind, location, message, inputText(input)))
}

func invalidDetail(location, detail string) *apiError {
	return &apiError{Message: "1 validation error:\n  " + detail, Type: "Bad Request", Param: &location, Code: http.StatusBadRequest}
}

// inputText shows a value that was refused: a container only by its size.
func inputText(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeObject:
		return fmt.Sprintf("<dict of %d items>", v.GetObject().Len())
	case fastjson.TypeArray:
		return fmt.Sprintf("<list of %d items>", len(v.GetArray()))
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	}
	return v.String()
}

func noSuchModel(name, served string) *apiError {
	param := "model"
	return &apiError{
		Message: fmt.Sprintf("The model `%s` does not exist. Valid aliases: %s.", name, served),
		Type:    "NotFoundError", Param: &param, Code: http.StatusNotFound,
	}
}

func (e *apiError) writeTo(w http.ResponseWriter) {
	writeJSON(w, e.Code, map[string]*apiError{"error": e})
}

// writeJSON sends v as vLLM's JSON looks: without spaces and HTML escapes.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // only our own types come here
	}
	writeBody(w, status, []byte(strings.TrimSuffix(b.String(), "\n")))
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}
