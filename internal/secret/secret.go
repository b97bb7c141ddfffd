// Package secret takes an API key out of text that is printed or saved.
//
// A server that repeats the key does so as its framework writes text, in a URL
// or a page say, so the key is also found as these would encode it.
package secret

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// Mark stands where the key stood.
const Mark = "[API key]"

// Redact returns text with Mark in place of key, as it is or encoded for a URL,
// HTML or JSON. An empty key is nowhere.
func Redact(text, key string) string {
	for _, form := range forms(key) {
		text = strings.ReplaceAll(text, form, Mark)
	}
	return text
}

// Within says whether text holds key in any form that Redact takes out.
func Within(text, key string) bool {
	return slices.ContainsFunc(forms(key), func(form string) bool { return strings.Contains(text, form) })
}

// forms are the ways in which text may hold key, the longest first, so that
// none leaves a part of another.
func forms(key string) []string {
	if key == "" {
		return nil
	}
	quoted, _ := json.Marshal(key) // a string always encodes
	slashed := strings.ReplaceAll(key, "/", `\/`)
	all := []string{key, url.QueryEscape(key), url.PathEscape(key), html.EscapeString(key), strings.Trim(string(quoted), `"`), slashed}
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}
