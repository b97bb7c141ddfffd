package bench

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vllmbench/internal/measure"
)

func init() {
	flag.Var(&flags.models, "models", "send the requests to these `models` (LoRA adapters are models too), as a,b or with shares as a:3,b:1")
}

// maxShares bounds the sum of all shares, in which each model has had exactly its own.
const maxShares = 1000

// A share is how many of so many requests go to a model.
type share struct {
	model string
	parts int
}

// shares are those of -models.
type shares []share

func (all *shares) String() string {
	var words []string
	for _, s := range *all {
		words = append(words, fmt.Sprintf("%s:%d", s.model, s.parts))
	}
	return strings.Join(words, ",")
}

// Set reads a,b or a:3,b:1. A name may hold colons: what follows the last one
// is a share only if it is a number.
func (all *shares) Set(text string) error {
	var out shares
	sum := 0
	for word := range strings.SplitSeq(text, ",") {
		s := share{strings.TrimSpace(word), 1}
		if i := strings.LastIndexByte(s.model, ':'); i >= 0 {
			if n, err := strconv.Atoi(s.model[i+1:]); err == nil {
				s = share{s.model[:i], n}
			}
		}
		taken := func(other share) bool { return other.model == s.model }
		switch {
		case s.model == "":
			return fmt.Errorf("%q names no model: write them as a,b or a:3,b:1", word)
		case s.parts < 1:
			return fmt.Errorf("the share of %s is %d: name a number above 0", s.model, s.parts)
		case slices.ContainsFunc(out, taken):
			return fmt.Errorf("%s is named twice: name it once, with its share", s.model)
		}
		sum += s.parts
		out = append(out, s)
	}
	if sum > maxShares {
		return fmt.Errorf("the shares add up to %d: name smaller ones, of at most %d in all", sum, maxShares)
	}
	*all = out
	return nil
}

func (all shares) names() (names []string) {
	for _, s := range all {
		names = append(names, s.model)
	}
	return names
}

// A mix says which model the next request goes to: in each block of as many
// requests as all shares add up to, every model has its own, in an order that the seed fixes.
type mix struct {
	shares
	mu     sync.Mutex
	random *rand.Rand
	block  []string // what is left of it
}

func (all shares) mix(seed uint64) *mix {
	return &mix{shares: all, random: rand.New(rand.NewPCG(seed, 0x6d6f64656c73))}
}

// next is safe for concurrent use. It is "" of a run that names no models.
func (m *mix) next() string {
	if m == nil || len(m.shares) == 0 {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.block) == 0 {
		for _, s := range m.shares {
			m.block = append(m.block, slices.Repeat([]string{s.model}, s.parts)...)
		}
		m.random.Shuffle(len(m.block), func(i, j int) { m.block[i], m.block[j] = m.block[j], m.block[i] })
	}
	last := len(m.block) - 1
	model := m.block[last]
	m.block = m.block[:last]
	return model
}

// says is the line of the header.
func (all shares) says() (lines []string) {
	if len(all) == 0 {
		return nil
	}
	sum := 0
	for _, s := range all {
		sum += s.parts
	}
	var words []string
	for _, s := range all {
		words = append(words, fmt.Sprintf("%s %.3g %%", s.model, 100*float64(s.parts)/float64(sum)))
	}
	return []string{"models: " + strings.Join(words, ", ") + " of the requests, in an order by -seed; rows and ledger are of all together; under load the order alone tells models apart, so compare them over many rounds (-count)"}
}

// modelTimes are the TTFT of each model's requests in each cell, of all rounds.
type modelTimes map[string]map[string][]time.Duration

func (t modelTimes) add(run *measure.Run) {
	for model, ttfts := range run.ByModel() {
		if t[run.Name] == nil {
			t[run.Name] = map[string][]time.Duration{}
		}
		t[run.Name][model] = append(t[run.Name][model], ttfts...)
	}
}

// footer is a line for each cell, with each model's requests and median TTFT.
func (t modelTimes) footer(w io.Writer) {
	for _, cell := range slices.Sorted(maps.Keys(t)) {
		var words []string
		for _, model := range slices.Sorted(maps.Keys(t[cell])) {
			ttfts := t[cell][model]
			low, median, high, known := measure.Median(ttfts)
			interval := ""
			if known {
				interval = fmt.Sprintf(" [%s, %s]", threeDigits(low), threeDigits(high))
			}
			words = append(words, fmt.Sprintf("%s %d requests, median TTFT %s%s ms", model, len(ttfts), threeDigits(median), interval))
		}
		fmt.Fprintf(w, "# models in %s: %s\n", cell, strings.Join(words, "; "))
	}
}

// threeDigits is d in milliseconds, to three significant digits.
func threeDigits(d time.Duration) string {
	ms := float64(d) / 1e6
	decimals := 0
	for limit := 100.0; decimals < 6 && ms < limit; limit /= 10 {
		decimals++
	}
	return strconv.FormatFloat(ms, 'f', decimals, 64)
}
