package compare

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestEscape: what would be markup on GitHub stands as it is, and a cell stays one.
func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		`a|b`:                    `a\|b`,
		`a\|b`:                   `a\\\|b`,
		"`code`":                 "\\`code\\`",
		"<img src=x>":            "&lt;img src=x>",
		"[a](http://else)":       `[a]\(http://else)`,
		"8.10 [7.74, 8.81] ms":   "8.10 [7.74, 8.81] ms",
		"*bold* _it_ ~~no~~ $x$": `\*bold\* \_it\_ \~\~no\~\~ \$x\$`,
		"@user":                  "@\u200buser",
	} {
		assert.Equal(t, want, escape(in))
	}
}
