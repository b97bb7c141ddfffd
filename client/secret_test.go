package client

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The API key appears in the header, and in nothing that a request leaves behind.
func TestAPIKeyStaysSecret(t *testing.T) {
	const key = "sk-7/very+secret"
	scripts := map[string]string{
		"refused":          answer("401 Unauthorized", `{"error":{"message":"wrong key `+key+`","type":"x","code":401}}`),
		"refused in text":  answer("403 Forbidden", "wrong key: Bearer "+key),
		"redirected":       "HTTP/1.1 302 Found\r\nLocation: https://else/?key=" + key + "\r\nContent-Length: 0\r\n\r\n",
		"error event":      stream(event(`{"error":{"message":"wrong key `+key+`","code":401}}`), doneEvent),
		"not JSON":         stream(strings.Repeat(" ", 92) + "data: " + strings.Repeat("x", 92) + key + "\n\n"),
		"not HTTP":         "wrong key " + key + "\r\n\r\n",
		"finish reason":    stream(text("a", key), usage(5, 1), doneEvent),
		"across the limit": answer("500 Oh", strings.Repeat("x", 280)+key),
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			s := listen(t, func(w *wire) {
				w.say(script)
				w.Close()
			})
			res := s.client(t, Config{APIKey: key}).Generate(t.Context(), three())
			assert.NotEqual(t, OK, res.Outcome)
			assert.NotEmpty(t, res.Error)
			all := fmt.Sprintf("%+v", res)
			for n := len(key); n > 6; n-- {
				assert.NotContains(t, all, key[:n])
			}
			_, wires := s.requests()
			assert.Equal(t, "Bearer "+key, wires[0].req.Header.Get("Authorization"))
			assert.NotContains(t, wires[0].body+wires[0].req.RequestURI, key)
		})
	}
}

func TestAPIKeyThatIsNoHeader(t *testing.T) {
	res := (&scripted{url: "http://127.0.0.1:1"}).client(t, Config{APIKey: "sk-secret\n"}).Generate(t.Context(), three())
	assert.Equal(t, Connect, res.Outcome)
	assert.Contains(t, res.Error, "Authorization")
	assert.NotContains(t, res.Error, "secret")
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ in, key, want string }{
		{" two\nlines\t", "", "two lines"},
		{"\x1b[31mred\x1b[0m\u202e\x00", "", "[31mred [0m"},
		{"Größe 面", "", "Größe 面"},
		{"bad \xff byte", "", "bad \uFFFD byte"},
		{strings.Repeat("ä", 301), "", strings.Repeat("ä", 300) + " ..."},
		{strings.Repeat("ä", 300), "", strings.Repeat("ä", 300)},
		{"key k1 and k1", "k1", "key [API key] and [API key]"},
		{"a\nb", "a\nb", "[API key]"},
	} {
		assert.Equal(t, tt.want, clean(tt.in, tt.key))
	}
}
