package report

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"vllmbench/internal/answers"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1.00"}, {0.1, "0.100"}, {12.345, "12.3"}, {9.996, "10.0"}, {999.6, "1_000"}, {4787, "4_790"},
		{1234567, "1_230_000"}, {-4787, "-4_790"}, {-0.0526, "-0.0526"}, {1.5e-9, "1.5e-09"}, {math.Inf(1), "+Inf"}, {math.NaN(), "NaN"},
	} {
		assert.Equal(t, strings.ReplaceAll(c.want, "_", thin), number(c.v), "%v", c.v)
	}
	assert.Equal(t, "130"+thin+"391", count(130391))
	assert.Equal(t, "999", count(999))
}

func TestInterval(t *testing.T) {
	low, high := 11.8e6, 13.1e6
	assert.Equal(t, "[11.8, 13.1]", interval(answers.Estimate{Value: 12e6, Low: &low, High: &high}, 1e-6))
	assert.Empty(t, interval(answers.Estimate{Value: 12e6, Low: &low}, 1e-6), "an interval has two ends")
}

func TestQuantityOf(t *testing.T) {
	for metric, want := range map[string]quantity{
		"p50-ttft-ns":             {"TTFT p50", "ms", 1e-6},
		"p50-turn3-ttft-ns":       {"TTFT turn 3", "ms", 1e-6},
		"p50-later-turns-ttft-ns": {"TTFT later turns", "ms", 1e-6},
		"mean-itl-ns":             {"ITL mean", "ms", 1e-6},
		"egress-ttft-ns":          {"egress-ttft", "ms", 1e-6},
		"tok/s":                   {"tok/s", "", 1},
		"cpu-ns/tok":              {"cpu", "µs/tok", 1e-3},
		"gpu-mem-B":               {"gpu-mem", "GiB", 1.0 / (1 << 30)},
		"gpu-clock-Hz":            {"gpu-clock", "GHz", 1e-9},
		"gpu-idle-%":              {"gpu-idle", "%", 1},
		"ns/op":                   {"time", "ms/op", 1e-6},
		"p0-x-ns":                 {"p0-x", "ms", 1e-6},
		"allocs/op":               {"allocs/op", "", 1},
	} {
		assert.Equal(t, want, quantityOf(metric), metric)
	}
}

func TestEmphasise(t *testing.T) {
	for text, want := range map[string]string{
		"An output token costs 4.75 ms [4.74, 4.75] on top.":     "4.75 ms",
		"At batch 1 DRAM is used at 60.9 % [60, 61].":            "60.9 %",
		"up to batch 8.10 [7.74, 8.81], then 1.30 s [1.2, 1.4].": "8.10",
		"No knee up to batch 32: try more.":                      "32",
		"At batch 32 requests queue for 103 ms (n=2).":           "103 ms",
		"It takes 2.09 million tokens in all.":                   "2.09 million tokens",
		"E2E of single requests is p50 only.":                    "",
		"4" + thin + "790 tok/s [4, 5]":                          "4" + thin + "790 tok/s",
		"":                                                       "",
	} {
		e := emphasise(text)
		assert.Equal(t, want, e.Number, text)
		assert.Equal(t, text, e.Before+e.Number+e.After, "nothing is lost")
	}
}

func TestSentence(t *testing.T) {
	for _, c := range []struct{ text, first, rest string }{
		{"Costs 4.75 ms. It bends. More.", "Costs 4.75 ms.", "It bends. More."},
		{"It is no line. It is 12 ms. More.", "It is no line. It is 12 ms.", "More."},
		{"Nothing is known. Run it.", "Nothing is known. Run it.", ""},
		{"1", "1", ""},
		{"", "", ""},
	} {
		first, rest := Sentence(c.text)
		assert.Equal(t, c.first, first)
		assert.Equal(t, c.rest, rest)
	}
}
