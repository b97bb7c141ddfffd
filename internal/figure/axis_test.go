package figure

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

func TestAxes(t *testing.T) {
	for _, c := range []struct {
		name   string
		axis   Axis
		scale  string
		lo, hi float64
		ticks  []float64
	}{
		{"levels", levelAxis("", []float64{32, 1, 8, 8}), Log2, 0.87, 36.8, []float64{1, 8, 32}},
		{"one level", levelAxis("", []float64{4}), Log2, 3.63, 4.4, []float64{4}},
		{"level zero", levelAxis("", []float64{0, 4}), Linear, 0, 4.2, []float64{0, 1, 2, 3, 4}},
		{"throughput", logAxis("", []float64{206, 4787}), Log10, 191, 5123, []float64{200, 500, 1000, 2000, 5000}},
		{"a narrow log axis", logAxis("", []float64{5.1, 5.9}), Log10, 4.74, 6.32, []float64{5, 5.5, 6}},
		{"nothing generated", logAxis("", []float64{0, 100}), Linear, 0, 105, []float64{0, 20, 40, 60, 80, 100}},
		{"from zero", linearAxis("", []float64{12, 29}), Linear, 0, 30.5, []float64{0, 5, 10, 15, 20, 25, 30}},
		{"noise is no cliff", linearAxis("", []float64{4.7, 4.8}), Linear, 4.22, 5.28, []float64{4.4, 4.6, 4.8, 5, 5.2}},
		{"all zero", linearAxis("", []float64{0, 0}), Linear, 0, 1.05, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{"latency of one decade", spread("", []float64{10, 49}), Linear, 0, 51.45, []float64{0, 10, 20, 30, 40, 50}},
		{"latency of two", spread("", []float64{10, 510}), Log10, 9.3, 546, []float64{10, 20, 50, 100, 200, 500}},
		{"a distribution", tight("", []float64{4.1, 6.5}), Linear, 4.03, 6.57, []float64{4.5, 5, 5.5, 6, 6.5}},
		{"one value", tight("", []float64{5}), Linear, 4.95, 5.05, []float64{4.96, 4.98, 5, 5.02, 5.04}},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.scale, c.axis.Scale)
			assert.InEpsilon(t, 1+c.lo, 1+c.axis.Min, 0.005)
			assert.InEpsilon(t, c.hi, c.axis.Max, 0.005)
			assert.Equal(t, c.ticks, c.axis.Ticks)
		})
	}
	assert.False(t, math.Signbit(linearTicks(0, 10)[0]), "no -0")
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 17.94: "17.9", 4787.3: "4 790", 0.1: "0.100", 999.9: "1 000", 1234567: "1 230 000", -5.678: "-5.68", 0.00012345: "0.000123", 100: "100", 99.96: "100.0",
	} {
		assert.Equal(t, want, strings.ReplaceAll(num(v), thin, " "), "%v", v)
	}
	for ns, want := range map[float64]string{17_900: "17.9 µs", 4.76e6: "4.76 ms", 1.5e9: "1.50 s", 12: "12.0 ns", -2e6: "-2.00 ms"} {
		assert.Equal(t, want, duration(ns))
	}
	assert.Equal(t, []string{"0.0", "0.5", "1.0"}, tickLabels(Axis{Scale: Linear, Ticks: []float64{0, 0.5, 1}}))
	assert.Equal(t, []string{"0.5", "1", "1" + thin + "024"}, tickLabels(Axis{Scale: Log2, Ticks: []float64{0.5, 1, 1024}}))
}

func TestCleanAndSlug(t *testing.T) {
	assert.Equal(t, "a b c", clean(" a\n\tb \x00\x1bc\u202e ", 10))
	assert.Equal(t, "abcd…", clean("abcdefgh", 5))
	assert.True(t, utf8.ValidString(clean("\xff\xfe", 5)))
	assert.Equal(t, "seqlen-prompt-10-output-50", slug("SeqLen/prompt=10/output=50"))
	assert.Equal(t, "", slug("../"))
}
