package numeral

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "0": "0", "-7": "-7", "999": "999", "1000": "1 000", "-1000": "-1 000", "123456": "123 456", "1234567": "1 234 567",
		"0.123456": "0.123456", "-12345.5": "-12 345.5", "1000.": "1 000.", "-": "-",
	} {
		assert.Equal(t, want, Grouped(in, " "), in)
		assert.Equal(t, strings.ReplaceAll(want, " ", Narrow), Grouped(in, Narrow), in)
	}
}
