package prompt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	opening  = "On"    // so that each word has a space before it, and
	ending   = " now:" // none a mark behind it
	tried    = 256     // words whose tokens are counted
	minAlike = 64      // of these, that must be equally long, so that 8 of them are worth 48 bits
	counters = 8       // counts at a time
	maxBytes = 64      // of a token, on average: a text that has more is given up
	checked  = 8       // prompts of each length that are counted before a run
)

// ErrShort says that no prompt is as short as asked.
var ErrShort = errors.New("shorter than the shortest prompt")

// A fit is how prompts of one length are made.
type fit struct {
	words  int   // of the sentence that only one prompt has
	bodies []int // which texts can be cut so that the length is exact
	bytes  []int // of each of these, where
}

// Align makes the sentences that tell text prompts apart equally long, so that
// Fit can make lengths exact. count says how many tokens the server makes of a text
// as a whole prompt, its chat template included; it is called concurrently.
//
// It returns the least length that Fit can make. It fails if count does, or if too few words are alike.
func (s *Source) Align(count func(text string) (int, error)) (least int, err error) {
	words := slices.Clone(s.words[:min(tried, len(s.words))])
	lengths, err := each(len(words), func(i int) (int, error) { return count(opening + " " + words[i] + ending) })
	if err != nil {
		return 0, err
	}
	classes := map[int][]string{}
	for i, n := range lengths {
		classes[n] = append(classes[n], words[i])
	}
	for n, class := range classes {
		if best := classes[least]; len(class) > len(best) || len(class) == len(best) && n < least {
			least = n
		}
	}
	if n := len(classes[least]); n < minAlike {
		return 0, fmt.Errorf("of %d words only %d are equally long by the server's tokenizer, too few for prompts of an exact length that never repeat (%d)", len(words), n, minAlike)
	}
	s.words, s.fits = classes[least], map[int]fit{}
	return least, nil
}

// Fit makes the source's text prompts of that length exact, by counts of them
// as for Align, which has to come first. It must not be called while prompts are made.
//
// It fails if count does, with ErrShort if the length is below Align's least, and if
// prompts made so are not all of that length.
func (s *Source) Fit(tokens int, count func(text string) (int, error)) error {
	if _, done := s.fits[tokens]; done {
		return nil
	}
	f, err := s.fitOf(tokens, count)
	if err != nil {
		return err
	}
	got, err := each(checked, func(i int) (int, error) { return count(s.fitted(uint64(i)*uint64(len(s.texts)+1), f)) })
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(got, func(n int) bool { return n != tokens }); i >= 0 {
		return fmt.Errorf("prompts made for %d tokens have %d by the server's tokenizer, which counts the same words differently beside others", tokens, got[i])
	}
	s.fits[tokens] = f
	return nil
}

// fitOf is the fit with the longest sentence that leaves room for a cut of
// the length: what joins sentence and text may take a token or two by itself.
func (s *Source) fitOf(tokens int, count func(text string) (int, error)) (fit, error) {
	short := true
	for f := (fit{words: leadWords}); f.words > 0; f.words-- {
		n, err := count(s.lead(0, f.words))
		if err != nil {
			return f, err
		}
		if n > tokens {
			continue
		}
		short = false
		cuts, err := each(len(s.texts), func(i int) (int, error) { return s.cutFor(f.words, i, tokens, count) })
		if err != nil {
			return f, err
		}
		for i, bytes := range cuts {
			if bytes >= 0 {
				f.bodies, f.bytes = append(f.bodies, i), append(f.bytes, bytes)
			}
		}
		if len(f.bodies) > 0 {
			return f, nil
		}
	}
	if short {
		return fit{}, fmt.Errorf("a prompt of %d tokens is %w", tokens, ErrShort)
	}
	return fit{}, fmt.Errorf("no text can be cut so that a prompt has %d tokens by the server's tokenizer", tokens)
}

// lead is the sentence that only prompt n has, of so many words.
func (s *Source) lead(n uint64, words int) string {
	r := s.rng(n)
	var b strings.Builder
	b.WriteString(opening)
	for i := range words {
		b.WriteByte(' ')
		if i == 0 {
			b.WriteString(s.words[n%uint64(len(s.words))])
		} else {
			b.WriteString(s.words[r.IntN(len(s.words))])
		}
	}
	b.WriteString(ending)
	return b.String()
}

// fitted is the content of prompt n by f.
func (s *Source) fitted(n uint64, f fit) string {
	i := int(n % uint64(len(f.bodies)))
	return fill(s.lead(n, f.words), s.texts[f.bodies[i]], f.bytes[i])
}

// fill appends body, again and again, until so many bytes were added.
func fill(lead, body string, bytes int) string {
	var b strings.Builder
	b.WriteString(lead)
	for want := len(lead) + bytes; b.Len() < want; {
		b.WriteByte(' ') // with the letter behind it one token in most vocabularies, so that no length is stepped over
		b.WriteString(cut(body, want-b.Len()))
	}
	return b.String()
}

// cutFor finds how many bytes of text i make a prompt of that many tokens, or
// -1 if a byte more or less makes it too long or too short.
func (s *Source) cutFor(words, i, tokens int, count func(string) (int, error)) (bytes int, err error) {
	lead := s.lead(uint64(i), words)
	short, long := -1, 0 // bytes of a prompt that is too short, and of one that is too long, or 0
	for at := bytesPerToken * tokens; long == 0 || long-short > 1; {
		n, err := count(fill(lead, s.texts[i], at))
		switch {
		case err != nil:
			return 0, err
		case n == tokens:
			return at, nil
		case n < tokens:
			short = at
		default:
			long = at
		}
		switch {
		case long > 0:
			at = (short + long) / 2
		case at > maxBytes*tokens:
			return -1, nil
		default:
			at *= 2
		}
	}
	return -1, nil
}

// each calls f with 0 to n-1, some of them at a time, and returns what it returned.
func each(n int, f func(i int) (int, error)) ([]int, error) {
	out := make([]int, n)
	var all errgroup.Group
	all.SetLimit(counters)
	for i := range n {
		all.Go(func() (err error) {
			out[i], err = f(i)
			return err
		})
	}
	err := all.Wait()
	return out, err
}
