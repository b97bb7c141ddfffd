package report

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/figure"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Qwen/Qwen2.5-7B":       "Qwen/Qwen2.5-7B",
		"a\nb\tc\rd":            "a b c d",
		"\x1b[31mred\x1b]0;t\a": "[31mred]0;t",
		"\u202egnp.exe":         "gnp.exe",
		"\u009b31m":             "31m",
		"\xff":                  "\ufffd",
		"4\u202f790 µs":         "4\u202f790 µs",
	} {
		assert.Equal(t, want, Clean(in), "%q", in)
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain 1.5 ms":  "plain 1.5 ms",
		"a|b":           `a\|b`,
		"`x`":           "\\`x\\`",
		"<b>&":          "&lt;b&gt;&amp;",
		"[a](b)":        `\[a\](b)`,
		"max_num_seqs*": `max\_num\_seqs\*`,
		"- item":        opener + "- item",
		"1. item":       opener + "1. item",
		"4.75 ms":       "4.75 ms",
		"-4 ms":         "-4 ms",
		"---":           opener + "---",
		"@team":         "@\u200bteam",
		"a\n# b":        `a \# b`,
		`\`:             `\\`,
	} {
		assert.Equal(t, want, escape(in), "%q", in)
	}
}

var entity = regexp.MustCompile(`^&(lt|gt|amp);`)

// bare finds what Markdown would take for more than a character.
func bare(text string) string {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++ // and what it escapes
		case c == '&' && !entity.MatchString(text[i:]), c == '<', c == '>', c == '\n', strings.IndexByte(markup, c) >= 0:
			return text[i:]
		case c == '@' && !strings.HasPrefix(text[i:], "@\u200b"):
			return text[i:]
		}
	}
	return ""
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{hostile, "a|b", `\`, `\|`, "&lt;", "- x", "1) x", "===", "\xff<", "~~x~~", "$x$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape(s)
		assert.Empty(t, bare(got), "%q", got)
		assert.NotRegexp(t, opening, got)
		for _, r := range got {
			require.True(t, unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) || r == '\u200b', "%q", r)
		}
	})
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{hostile, "</script>", "<!--<script>", "]]>", "\u2028", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fig := figure.Figure{ID: "x", Title: s, Notes: []string{s}, Lines: []figure.Line{{Label: s, Points: []figure.Point{{X: 1, Y: 2, Label: s, Void: s}}}}}
		data, err := encode(newPageData([]string{s}, []figure.Figure{fig}, nil))
		require.NoError(t, err)
		assert.NotContains(t, string(data), "<")
		var back pageData
		require.NoError(t, json.Unmarshal(data, &back))
		require.Len(t, back.Figures, 1)
		assert.Equal(t, Clean(s), back.Figures[0].Lines[0].Label)
		assert.Equal(t, string([]rune(s)), back.Figures[0].Title, "each byte that is no text is one replacement")
	})
}
