package lengths

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
)

func dist(t testing.TB, text string) Dist {
	t.Helper()
	d, err := ParseDist(text)
	require.NoError(t, err)
	return d
}

// drawn returns the first n prompts of d as numbers, sorted.
func drawn(d Dist, n uint64) []float64 {
	s := NewSequence(d, Fixed(1), nil, 7)
	var out []float64
	for i := range n {
		out = append(out, float64(s.At(i).Prompt))
	}
	slices.Sort(out)
	return out
}

func TestUniformDrawsEveryLengthAlike(t *testing.T) {
	const n = 20_000
	counts := map[float64]float64{}
	for _, x := range drawn(dist(t, "uniform:50-59"), n) {
		counts[x]++
	}
	require.Len(t, counts, 10)
	var observed, expected []float64
	for _, c := range counts {
		observed, expected = append(observed, c), append(expected, n/10)
	}
	assert.Less(t, stat.ChiSquare(observed, expected), 27.9, "of 9 degrees of freedom: exceeded once in 1000")
}

func TestLognormal(t *testing.T) {
	const n = 20_000
	xs := drawn(dist(t, "lognormal:200:0.6:100000"), n) // bounds that take nothing away
	var logs []float64
	for _, x := range xs {
		logs = append(logs, math.Log(x))
	}
	mean, sd := stat.MeanStdDev(logs, nil)
	assert.InDelta(t, math.Log(200), mean, 4*0.6/math.Sqrt(n))
	assert.InDelta(t, 0.6, sd, 4*0.6/math.Sqrt(2*n))
	assert.InDelta(t, 200*math.Exp(0.6*1.2816), xs[n*9/10], 15, "the 90 % quantile")
}

// What lies outside of the bounds is taken away: it is not heaped on them.
func TestLognormalIsCutNotHeaped(t *testing.T) {
	xs := drawn(dist(t, "lognormal:200:1:100-400"), 20_000)
	assert.Equal(t, 100.0, xs[0])
	assert.Equal(t, 400.0, xs[len(xs)-1])
	at := map[float64]int{}
	for _, x := range xs {
		at[x]++
	}
	assert.Less(t, at[400], 3*at[399]+60)
	assert.Less(t, at[100], 3*at[101]+60)
	assert.InDelta(t, 200, xs[len(xs)/2], 6, "bounds that are even about the median leave it")
}

func TestSequenceFollowsFromSeedAndIndexAlone(t *testing.T) {
	prompt, output := dist(t, "lognormal:200:0.6:1000"), dist(t, "uniform:50-200")
	a, again, other := NewSequence(prompt, output, nil, 1), NewSequence(prompt, output, nil, 1), NewSequence(prompt, output, nil, 2)
	var first, backwards []Pair
	same := 0
	for i := range uint64(200) {
		first = append(first, a.At(i))
		backwards = append(backwards, again.At(199-i))
		if a.At(i) == other.At(i) {
			same++
		}
	}
	slices.Reverse(backwards)
	assert.Equal(t, first, backwards)
	assert.Less(t, same, 5)
	assert.Greater(t, len(slices.Compact(slices.Clone(first))), 190)
}

// Neighbours, and a request's two lengths, have nothing to do with each other.
func TestLengthsAreIndependent(t *testing.T) {
	const n = 10_000
	s := NewSequence(dist(t, "uniform:1-1000"), dist(t, "uniform:1-1000"), nil, 3)
	var prompts, outputs, nexts []float64
	for i := range uint64(n) {
		p := s.At(i)
		prompts, outputs = append(prompts, float64(p.Prompt)), append(outputs, float64(p.Output))
		nexts = append(nexts, float64(s.At(i+1).Prompt))
	}
	assert.InDelta(t, 0, stat.Correlation(prompts, outputs, nil), 4/math.Sqrt(n))
	assert.InDelta(t, 0, stat.Correlation(prompts, nexts, nil), 4/math.Sqrt(n))
}

func TestEveryPairIsUsedOnceARound(t *testing.T) {
	var pairs []Pair
	for i := range 50 {
		pairs = append(pairs, Pair{i + 1, 100 - i})
	}
	s, other := NewSequence(Dist{}, Dist{}, pairs, 1), NewSequence(Dist{}, Dist{}, pairs, 2)
	var order, others []Pair
	for i := range uint64(50) {
		order, others = append(order, s.At(i)), append(others, other.At(i))
		assert.Equal(t, s.At(i), s.At(i+50))
	}
	assert.ElementsMatch(t, pairs, order)
	assert.NotEqual(t, pairs, order)
	assert.NotEqual(t, others, order)
	most, sum := s.Max()
	assert.Equal(t, Pair{50, 100}, most)
	assert.Equal(t, 101, sum, "of one request, not of the longest prompt and the longest output")
}

func TestNothingIsLongerThanMax(t *testing.T) {
	for _, text := range []string{"1", "uniform:3-5", "lognormal:2:9:1-3", "lognormal:10:0.01:10-11"} {
		d := dist(t, text)
		s := NewSequence(d, Fixed(7), nil, 0)
		most, sum := s.Max()
		assert.Equal(t, Pair{d.Max(), 7}, most)
		assert.Equal(t, d.Max()+7, sum)
		for _, u := range []float64{0, 1e-17, 0.5, math.Nextafter(1, 0)} {
			assert.GreaterOrEqual(t, d.at(u), d.Min(), text)
			assert.LessOrEqual(t, d.at(u), d.Max(), text)
		}
	}
}

func TestMean(t *testing.T) {
	for _, text := range []string{"7", "uniform:3-6", "lognormal:200:0.6:1000", "lognormal:200:1:100-400", "lognormal:50:2:5000"} {
		d := dist(t, text)
		xs := drawn(d, 20_000)
		mean, sd := stat.MeanStdDev(xs, nil)
		assert.InDelta(t, mean, d.Mean(), 0.01*mean+4*sd/math.Sqrt(float64(len(xs))), text)
	}
	assert.Equal(t, 4.5, dist(t, "uniform:3-6").Mean())
	prompt, output := NewSequence(Dist{}, Dist{}, []Pair{{1, 10}, {2, 30}}, 1).Mean()
	assert.Equal(t, 1.5, prompt)
	assert.Equal(t, 20.0, output)
}

func TestReadPairs(t *testing.T) {
	want := []Pair{{12, 34}, {5, 6}}
	for name, text := range map[string]string{
		"comma":     "12,34\n5,6\n",
		"blanks":    "  12   34\n5\t6",
		"heading":   "\ufeffprompt,output\r\n12, 34\r\n5; 6\r\n",
		"comment":   "# ours\n12 34 # long\n\n5 6\n",
		"unordered": "12,34\n\n\n5,6",
	} {
		got, err := ReadPairs(strings.NewReader(text))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	for text, says := range map[string]string{
		"":                  "the file of lengths is empty",
		"a,b\n":             "the file of lengths is empty",
		"1,2\nx,y\n":        `line 2 of the lengths: "x" is not a number`,
		"1,2\n1,0\n":        `line 2 of the lengths: "0" is not a number`,
		"1\n":               "line 1 of the lengths: \"1\" is not two columns",
		"1,2,3\n":           "\"1 2 3\" is not two columns",
		"1,2\n\n5,1e3":      "line 3",
		"1,100000001":       "line 1",
		"h,h\nh,h":          "line 2",
		"1 2\n" + long + "": "line 2 of the lengths: bufio.Scanner: token too long",
	} {
		_, err := ReadPairs(strings.NewReader(text))
		assert.ErrorContains(t, err, says, "%.20q", text)
	}
}

var long = strings.Repeat("1", 100_000)

func FuzzReadPairs(f *testing.F) {
	f.Add("12,34\n5 6")
	f.Add("a b\n1;2 # c")
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := ReadPairs(strings.NewReader(text))
		if err != nil {
			assert.Empty(t, pairs)
			return
		}
		_, sum := NewSequence(Dist{}, Dist{}, pairs, 1).Max()
		assert.GreaterOrEqual(t, sum, 2)
		assert.LessOrEqual(t, sum, 2*maxTokens)
	})
}
