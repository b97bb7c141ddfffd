package lengths

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
)

// maxTokens is the greatest length, well above the longest contexts served.
const maxTokens = 100_000_000

// maxSigma is the greatest width of a lognormal: beyond it nearly all lengths are at the bounds.
const maxSigma = 10

// A Dist is a distribution of lengths: one length, all of a range alike, or a
// lognormal cut to a range, which is near what prompts and answers of chats have.
// The zero value is none.
type Dist struct {
	min, max      int // tokens; all that can be drawn
	median, sigma float64
}

// Fixed is the distribution of one length, in tokens.
func Fixed(tokens int) Dist { return Dist{min: tokens, max: tokens} }

// Min is the least length that is drawn, in tokens.
func (d Dist) Min() int { return d.min }

// Max is the greatest length that is drawn, in tokens.
func (d Dist) Max() int { return d.max }

// Mean is the mean length in tokens: exact but for a lognormal's, which is that of a
// thousand quantiles and within 1 % of it.
func (d Dist) Mean() float64 {
	if d.sigma == 0 {
		return float64(d.min+d.max) / 2
	}
	const n = 1000
	sum := 0
	for k := range n {
		sum += d.at((float64(k) + 0.5) / n)
	}
	return float64(sum) / n
}

// ParseDist reads 200, fixed:200, uniform:A-B or lognormal:MEDIAN:SIGMA:MAX, where MAX may be
// MIN-MAX too (MIN is 1 otherwise). A lognormal has the probability outside of its
// bounds taken away, not heaped on them, so that its median is slightly moved.
func ParseDist(text string) (Dist, error) {
	kind, rest, _ := strings.Cut(text, ":")
	var d Dist
	var err error
	switch kind {
	case "uniform":
		if d.min, d.max, err = span(rest); err == nil && !strings.Contains(rest, "-") {
			err = fmt.Errorf("%q is no range: write A-B", rest)
		}
	case "lognormal":
		d, err = parseLognormal(rest)
	case "fixed":
		d.min, err = tokens(rest)
		d.max = d.min
	default:
		if d.min, err = tokens(text); err != nil {
			return Dist{}, fmt.Errorf("%q is no length: write a number of tokens, uniform:A-B or lognormal:MEDIAN:SIGMA:MAX", text)
		}
		d.max = d.min
	}
	if err != nil {
		return Dist{}, fmt.Errorf("length %q: %w", text, err)
	}
	return d, nil
}

func parseLognormal(text string) (d Dist, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return d, fmt.Errorf("%q is not of the form MEDIAN:SIGMA:MAX: the greatest length has to be known beforehand", text)
	}
	if d.min, d.max, err = span(parts[2]); err != nil {
		return d, err
	}
	if !strings.Contains(parts[2], "-") {
		d.min = 1
	}
	d.median, err = strconv.ParseFloat(parts[0], 64)
	if err != nil || !(d.median >= float64(d.min) && d.median <= float64(d.max)) {
		return d, fmt.Errorf("a median of %q is not between the bounds %d and %d", parts[0], d.min, d.max)
	}
	d.sigma, err = strconv.ParseFloat(parts[1], 64)
	if err != nil || !(d.sigma > 0 && d.sigma <= maxSigma) {
		return d, fmt.Errorf("a sigma of %q is not above 0 and at most %d: it is the standard deviation of the logarithm", parts[1], maxSigma)
	}
	return d, nil
}

// span reads A-B, or a single number as both.
func span(text string) (low, high int, err error) {
	first, second, two := strings.Cut(text, "-")
	if low, err = tokens(first); err != nil {
		return 0, 0, err
	}
	if !two {
		return low, low, nil
	}
	if high, err = tokens(second); err != nil {
		return 0, 0, err
	}
	if high < low {
		return 0, 0, fmt.Errorf("%q goes from the greater to the less: write the less first", text)
	}
	return low, high, nil
}

func tokens(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxTokens {
		return 0, fmt.Errorf("%q is not a number of tokens from 1 to %d", text, maxTokens)
	}
	return n, nil
}

// String is d as ParseDist reads it.
func (d Dist) String() string {
	switch {
	case d.sigma > 0:
		return fmt.Sprintf("lognormal:%v:%v:%d-%d", d.median, d.sigma, d.min, d.max)
	case d.min < d.max:
		return fmt.Sprintf("uniform:%d-%d", d.min, d.max)
	}
	return strconv.Itoa(d.min)
}

// at returns the length of which a share u of all are shorter; 0 <= u < 1. The
// conversions keep a compiler from fusing operations; where a processor does
// so in the normal's own functions, a length may differ by a token from another's.
func (d Dist) at(u float64) int {
	if d.sigma == 0 {
		return d.min + int(u*float64(d.max-d.min+1))
	}
	// Half a token beyond the bounds: lengths are rounded to the nearest.
	low := distuv.UnitNormal.CDF(d.score(float64(d.min) - 0.5))
	high := distuv.UnitNormal.CDF(d.score(float64(d.max) + 0.5))
	z := distuv.UnitNormal.Quantile(low + float64(u*(high-low)))
	n := math.Round(float64(d.median) * math.Exp(float64(d.sigma*z)))
	return int(max(float64(d.min), min(n, float64(d.max))))
}

// score is how many standard deviations x lies above the median.
func (d Dist) score(x float64) float64 { return math.Log(x/d.median) / d.sigma }
