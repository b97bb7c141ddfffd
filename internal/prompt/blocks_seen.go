package prompt

// Seen tells of prompts of one Set how long a start each has in common with one
// before it: what a prefix cache of no limit holds of it. The zero value is ready for use.
//
// A server finds less: whole blocks of its own size only, never a prompt's last
// token, and not what it has evicted or not yet computed.
type Seen struct {
	next  map[edge]int // where an edge leads; node 0 is the empty prompt
	reach []int        // by node, less one: the most tokens that a prompt had in the node's last block
}

// An edge leads from the blocks of a prompt so far to those with one more.
type edge struct {
	from int
	hash uint64
}

// Add takes the next prompt in the order of arrival, by the arguments of Blocks,
// and returns with how many of its tokens a prompt before it begins too.
func (s *Seen) Add(hashes []uint64, block, tokens int) (common int) {
	if s.next == nil {
		s.next = make(map[edge]int)
	}
	node, left, known := 0, tokens, true
	for _, hash := range hashes {
		n := min(block, left)
		if n <= 0 {
			break
		}
		e := edge{node, hash}
		next, found := s.next[e]
		if !found {
			s.reach = append(s.reach, 0)
			next = len(s.reach)
			s.next[e] = next
		}
		reach := &s.reach[next-1]
		if known = known && found; known {
			common += min(n, *reach)
		}
		*reach = max(*reach, n)
		node, left = next, left-n
	}
	return common
}
