package client

import "fmt"

// Failures counts failed requests by outcome, with the first error text of
// each, in one line.
func Failures(rs []Result) string {
	count := map[Outcome]int{}
	var order []Result
	for _, r := range rs {
		if r.Outcome == OK {
			continue
		}
		if count[r.Outcome]++; count[r.Outcome] == 1 {
			order = append(order, r)
		}
	}
	s := ""
	for i, r := range order {
		if i > 0 {
			s += "; "
		}
		s += fmt.Sprintf("%d failed (%s): %s", count[r.Outcome], r.Outcome, r.Error)
	}
	return s
}
