package k6

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/measure"
	"vllmbench/k6/schedule"
)

// closedWindow is the time in which every stream was at work: from when each
// had ended its first request to when the first of them ended its last. Where
// streams come and go by design it is all of the load.
func closedWindow(streams [][]client.Result, constant bool) (w measure.Window) {
	for i, rs := range streams {
		first, last := rs[0], rs[len(rs)-1]
		switch {
		case i == 0 && constant:
			w = measure.Window{From: first.End, To: last.End}
		case i == 0:
			w = measure.Window{From: first.Sent, To: last.End}
		case constant:
			w = measure.Window{From: max(w.From, first.End), To: min(w.To, last.End)}
		default:
			w = measure.Window{From: min(w.From, first.Sent), To: max(w.To, last.End)}
		}
	}
	w.To = max(w.To, w.From) // of so few requests that there is no such time
	return w
}

const (
	// The ramp of an open loop is a multiple of a request's time on an idle
	// server, for which the shortest stands here, and a part of the load.
	rampRequests = 3
	rampShare    = 10
)

// openWindow begins when the load has lasted so long that it is steady, and ends
// before the first arrival that was still served when the last one came: all
// that is due in it was served under the full load. A load whose rate changes is
// measured as a whole.
func openWindow(all []client.Result, s *schedule.Schedule) measure.Window {
	var due []client.Result
	for _, res := range all {
		if res.Scheduled {
			due = append(due, res)
		}
	}
	if len(due) == 0 {
		return measure.Window{}
	}
	slices.SortFunc(due, func(a, b client.Result) int { return cmp.Compare(a.Intended, b.Intended) })
	first, last := due[0], due[len(due)-1]
	w := measure.Window{From: first.Intended, To: last.Intended}
	if s.Varies() {
		for _, res := range due {
			w.To = max(w.To, res.End)
		}
		return w
	}
	shortest := s.Length()
	for _, res := range due {
		if res.Outcome == client.OK {
			shortest = min(shortest, res.E2E())
		}
	}
	for _, res := range due {
		if res.End > last.Intended {
			w.To = res.Intended
			break
		}
	}
	w.From = min(w.To, first.Intended+max(s.Length()/rampShare, rampRequests*shortest))
	return w
}

// instanceName is given, or "instance-2" for the second of equal segments,
// or "instance-1" for all of the load.
func instanceName(segment, given string) (string, error) {
	switch {
	case given == ".." || strings.ContainsAny(given, `/\`):
		return "", fmt.Errorf("%s is %q: name a folder, not a path", instanceEnv, given)
	case given != "":
		return given, nil
	case segment == "":
		return "instance-1", nil
	}
	begin, end, _ := strings.Cut(segment, ":")
	from, ok := new(big.Rat).SetString(begin)
	to, alsoOK := new(big.Rat).SetString(end)
	if ok && alsoOK && from.Cmp(to) < 0 {
		if n := new(big.Rat).Quo(from, new(big.Rat).Sub(to, from)); n.IsInt() {
			return fmt.Sprintf("instance-%d", n.Num().Int64()+1), nil
		}
	}
	return "", fmt.Errorf("the segment %s is not one of equal ones: name this instance by %s", segment, instanceEnv)
}
