package results

import (
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// clean makes every text of the run one line that prints: who wrote the files
// may be a stranger, and what is read from them goes to terminals and into tables.
func (r *Run) clean() {
	printable(reflect.ValueOf(&r.Header).Elem())
	printable(reflect.ValueOf(r.Rows))
	for _, s := range r.GPU {
		for _, g := range s.GPUs { // a walk would look at every figure too
			printable(reflect.ValueOf(g.Throttled))
		}
	}
	printable(reflect.ValueOf(r.Warnings))
}

// printable cleans all texts in v, whose strings can be set. Bytes stay: raw JSON is read before it is shown.
func printable(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if was := v.String(); v.CanSet() {
			if is := oneLine(was); is != was {
				v.SetString(is)
			}
		}
	case reflect.Struct:
		if v.Type().PkgPath() == "time" {
			return
		}
		for i := range v.NumField() {
			printable(v.Field(i))
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			return
		}
		for i := range v.Len() {
			printable(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			v.SetMapIndex(key, reflect.ValueOf(oneLine(v.MapIndex(key).String())).Convert(v.Type().Elem()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			printable(v.Elem())
		}
	}
}

// oneLine is text with a space for each white space, and without what else does not print.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, text)
}
