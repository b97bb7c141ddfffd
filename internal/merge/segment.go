package merge

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

// A segment is an instance's part of the load, as k6's execution segments have it.
type segment struct {
	from, to *big.Rat // of 0 to 1
}

// bound is a number as k6 writes it. Others could be of any size.
var bound = regexp.MustCompile(`^\d{1,9}([/.]\d{1,9})?$`)

// parseSegment reads "1/4:1/2".
func parseSegment(text string) (*segment, error) {
	begin, end, _ := strings.Cut(text, ":")
	if bound.MatchString(begin) && bound.MatchString(end) {
		from, ok := new(big.Rat).SetString(begin)
		to, alsoOK := new(big.Rat).SetString(end)
		if ok && alsoOK && from.Cmp(to) < 0 && to.Cmp(whole) <= 0 {
			return &segment{from, to}, nil
		}
	}
	return nil, fmt.Errorf("its segment %q is no part of a load: it should be as 1/4:1/2", text)
}

var whole = big.NewRat(1, 1)

func (s *segment) String() string { return s.from.RatString() + ":" + s.to.RatString() }

func (s *segment) overlaps(o *segment) bool { return s.from.Cmp(o.to) < 0 && o.from.Cmp(s.to) < 0 }

// compareSegments orders segments by their begin; none come first.
func compareSegments(a, b *segment) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.from.Cmp(b.from)
}

// gaps are the parts of the load that no instance has.
func (m *merger) gaps() (gaps []*segment) {
	if m.all[0].segment == nil {
		return nil
	}
	at := new(big.Rat)
	for _, i := range m.all {
		if at.Cmp(i.segment.from) < 0 {
			gaps = append(gaps, &segment{at, i.segment.from})
		}
		at = i.segment.to
	}
	if at.Cmp(whole) < 0 {
		gaps = append(gaps, &segment{at, whole})
	}
	return gaps
}

// share is the part of the load that the live instances have, of 0 to 1; 0: not known.
func (m *merger) share() float64 {
	if m.all[0].segment == nil {
		if len(m.lost) > 0 {
			return 0
		}
		return 1
	}
	sum := new(big.Rat)
	for _, i := range m.live() {
		sum.Add(sum, i.segment.to).Sub(sum, i.segment.from)
	}
	share, _ := sum.Float64()
	return share
}
