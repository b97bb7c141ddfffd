package secret

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedact(t *testing.T) {
	for _, tt := range []struct{ name, key, text, want string }{
		{"no key", "", "anything", "anything"},
		{"elsewhere", "k1", "anything", "anything"},
		{"twice", "k1", "k1 and Bearer k1", "[API key] and Bearer [API key]"},
		{"in a query", "a/b+c d", "?key=a%2Fb%2Bc+d", "?key=[API key]"},
		{"in a path", "a/b+c d", "/a%2Fb+c%20d/", "/[API key]/"},
		{"in HTML", `a<b>"c"`, "<b>a&lt;b&gt;&#34;c&#34;</b>", "<b>[API key]</b>"},
		{"in JSON", `a<b"c`, `{"k":"a\u003cb\"c"}`, `{"k":"[API key]"}`},
		{"in JSON of PHP", `a/b`, `{"k":"a\/b"}`, `{"k":"[API key]"}`},
		{"with a line's end", "a\nb", "a\nb", "[API key]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, Redact(tt.text, tt.key))
			assert.Equal(t, tt.text != tt.want, Within(tt.text, tt.key))
		})
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("a k1 b", "k1")
	f.Add("%2F", "/")
	f.Add("aaa", "aa")
	f.Fuzz(func(t *testing.T, text, key string) {
		got := Redact(text, key)
		if key != "" && !strings.ContainsAny(Mark, key) && strings.Trim(key, Mark) == key {
			assert.NotContains(t, got, key)
		}
		if !Within(text, key) {
			assert.Equal(t, text, got)
		}
	})
}
