package prompt

// Hits counts the prompt tokens that a prefix cache of no limit would serve, in
// a set of prompts made by Set.Blocks. The zero value counts token by token.
//
// It is an upper bound of what a server can serve: that one evicts blocks, or
// has not yet computed them when the next prompt arrives.
type Hits struct {
	// Block is the number of tokens in a block of the server's cache: vLLM keeps
	// and finds whole blocks only, of 16 tokens on most GPUs. 0 means 1.
	Block int

	// Whole allows that all of a prompt is served. vLLM computes at least the
	// last token, whose output it needs.
	Whole bool

	next  map[edge]int // where an edge leads; node 0 is the empty prompt
	reach []int        // by node: the most tokens of its block that one prompt had, less one node
}

// An edge leads from the blocks of a prompt so far to those with one more.
type edge struct {
	from int
	hash uint64
}

// Add tells of the next prompt, by the arguments of Blocks, in the order of
// arrival. It returns how many of its tokens prompts before it leave in the cache.
func (h *Hits) Add(hashes []uint64, block, tokens int) int {
	if h.next == nil {
		h.next = make(map[edge]int)
	}
	common, known := 0, true // common is the longest start that a prompt before has too
	node, left := 0, tokens
	for _, hash := range hashes {
		n := min(block, left)
		if n <= 0 {
			break
		}
		e := edge{node, hash}
		next, seen := h.next[e]
		if !seen {
			h.reach = append(h.reach, 0)
			next = len(h.reach)
			h.next[e] = next
		}
		reach := &h.reach[next-1]
		if known = known && seen; known {
			common += min(n, *reach)
		}
		*reach = max(*reach, n)
		node, left = next, left-n
	}
	if !h.Whole {
		common = min(common, tokens-1)
	}
	unit := max(h.Block, 1)
	return max(common, 0) / unit * unit
}
