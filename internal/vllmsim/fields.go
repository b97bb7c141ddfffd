package vllmsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/valyala/fastjson"
)

// fields reads a JSON object and remembers the first field of a wrong type.
// A missing field and null are the same.
type fields struct {
	v   *fastjson.Value
	at  string // location for errors
	err *apiError
}

// parseBody reads a request's body. Fields that nobody asks for are ignored.
func parseBody(body []byte) (*fields, *apiError) {
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		offset := len(body)
		var syntax *json.SyntaxError
		if errors.As(json.Unmarshal(body, new(json.RawMessage)), &syntax) {
			offset = int(syntax.Offset)
		}
		at := fmt.Sprintf("body.%d", offset)
		return nil, invalidDetail(at, "{'type': 'json_invalid', 'loc': '"+at+"', 'msg': 'JSON decode error', "+
			"'input': '<dict of 0 items>', 'ctx': {'error': 'Expecting value'}}")
	}
	f := &fields{v: v, at: "body"}
	if v.Type() != fastjson.TypeObject {
		return nil, notObject("body", v)
	}
	return f, nil
}

func notObject(location string, v *fastjson.Value) *apiError {
	return invalid(location, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from", v)
}

func (f *fields) get(name string) *fastjson.Value {
	v := f.v.Get(name)
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil
	}
	return v
}

func (f *fields) fail(name, kind, message string) {
	if f.err == nil {
		f.err = invalid(f.at+"."+name, kind, message, f.v.Get(name))
	}
}

// missing is the refusal of an object without the field.
func (f *fields) missing(name string) *apiError {
	return invalid(f.at+"."+name, "missing", "Field required", f.v)
}

func (f *fields) str(name string) (value string, present bool) {
	v := f.get(name)
	if v == nil {
		return "", false
	}
	b, err := v.StringBytes()
	if err != nil {
		f.fail(name, "string_type", "Input should be a valid string")
	}
	return string(b), true
}

func (f *fields) bool(name string) bool {
	v := f.get(name)
	if v == nil {
		return false
	}
	b, err := v.Bool()
	if err != nil {
		f.fail(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input")
	}
	return b
}

// integer returns the value of the first of the names that is present.
func (f *fields) integer(names ...string) (value int, present bool) {
	for _, name := range names {
		v := f.get(name)
		if v == nil {
			continue
		}
		x, err := v.Float64()
		switch {
		case err != nil:
			f.fail(name, "int_parsing", "Input should be a valid integer, unable to parse string as an integer")
		case x != math.Trunc(x):
			f.fail(name, "int_from_float", "Input should be a valid integer, got a number with a fractional part")
		case math.Abs(x) > math.MaxInt32:
			f.fail(name, "int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size")
		}
		return int(max(math.MinInt32, min(math.MaxInt32, x))), true
	}
	return 0, false
}

func (f *fields) object(name string) *fields {
	v := f.get(name)
	if v == nil {
		return nil
	}
	at := f.at + "." + name
	if v.Type() != fastjson.TypeObject {
		if f.err == nil {
			f.err = notObject(at, v)
		}
		return nil
	}
	return &fields{v: v, at: at}
}
