package vllmsim

// KVUsage returns the share of KV blocks that requests use, in [0, 1].
func (s *Scheduler) KVUsage() float64 {
	return float64(s.pool.total-s.pool.free) / float64(s.pool.total)
}

// ResetPrefixCache forgets all cached prefixes. It does nothing and returns
// false while requests hold blocks.
func (s *Scheduler) ResetPrefixCache() bool { return s.pool.clear() }

// blocksFor returns how many blocks hold n tokens.
func (s *Scheduler) blocksFor(n int) int {
	return (n + s.limits.BlockSize - 1) / s.limits.BlockSize
}

// reserve gives r the blocks for its first n tokens, or none and false.
func (s *Scheduler) reserve(r *Request, n int) bool {
	missing := s.blocksFor(n) - len(r.blocks)
	if missing > s.pool.free {
		return false
	}
	for range missing {
		r.blocks = append(r.blocks, s.pool.take())
	}
	return true
}

// cachedPrefix returns the longest run of known blocks that r begins with. It
// stops before r's last token, whose logits must be computed.
func (s *Scheduler) cachedPrefix(r *Request) []*block {
	if !s.limits.PrefixCaching {
		return nil
	}
	full := (r.Tokens() - 1) / s.limits.BlockSize
	r.hashTo(full, s.limits.BlockSize)
	var shared []*block
	for _, h := range r.hashes[:full] {
		b, ok := s.pool.cached[h]
		if !ok {
			break
		}
		shared = append(shared, b)
	}
	return shared
}

// fits reports whether the free blocks hold r up to its first upTo tokens. By
// default they must hold all of its tokens, not only the first chunk's: half a
// prompt in the cache would only wait for the other half.
func (s *Scheduler) fits(r *Request, shared []*block, upTo int) bool {
	free := s.pool.free
	for _, b := range shared {
		if b.refs == 0 {
			free-- // it is in the free list, and sharing takes it out
		}
	}
	if len(s.running) > 0 {
		free -= s.limits.WatermarkBlocks
	}
	if !s.limits.FirstChunkOnly {
		upTo = r.Tokens()
	}
	return s.blocksFor(upTo)-len(shared) <= free
}

// publish makes those blocks of r known that its first n tokens fill.
func (s *Scheduler) publish(r *Request, n int) {
	if !s.limits.PrefixCaching {
		return
	}
	full := n / s.limits.BlockSize
	r.hashTo(full, s.limits.BlockSize)
	for ; r.published < full; r.published++ {
		s.pool.publish(r.blocks[r.published], r.hashes[r.published])
	}
}

// free returns all of r's blocks; r runs no more.
func (s *Scheduler) free(r *Request) {
	s.pool.release(r.blocks)
	r.blocks = r.blocks[:0]
	r.computed, r.published = 0, 0
	r.running = false
}
