package vllmsim

// A block holds the keys and values of Limits.BlockSize consecutive tokens.
type block struct {
	refs   int  // requests that use it
	hashed bool // hash is in the prefix cache
	hash   blockHash
	same   *block // the next known block of the same content

	prev, next *block // neighbours in the free list while refs is 0
}

// A blockPool is the GPU's KV cache: a fixed number of blocks.
//
// A free block keeps its content until it is taken for something else, so the
// free list is also the prefix cache's eviction order. Blocks are taken from
// the front. Of those returned, the known go to the back, and the others to
// the front, since nobody can find what they hold.
type blockPool struct {
	total  int
	free   int
	list   block                // sentinel of the free list
	cached map[blockHash]*block // the first of the known blocks of a content
}

func newBlockPool(total int) *blockPool {
	p := &blockPool{total: total, cached: make(map[blockHash]*block)}
	p.list.prev, p.list.next = &p.list, &p.list
	blocks := make([]block, total)
	for i := range blocks {
		p.insert(&blocks[i], &p.list)
	}
	return p
}

// take returns the first free block, and forgets its content. The caller has
// checked that there is one.
func (p *blockPool) take() *block {
	b := p.list.next
	if b == &p.list {
		panic("vllmsim: no free KV block")
	}
	p.remove(b)
	p.forget(b)
	b.refs = 1
	return b
}

// share adds a user to a block that the prefix cache found.
func (p *blockPool) share(b *block) {
	if b.refs == 0 {
		p.remove(b)
	}
	b.refs++
}

// release drops one user of each block. The last blocks of a sequence go back
// first: a prefix is useful without its tail, a tail is not without its prefix.
func (p *blockPool) release(blocks []*block) {
	front := p.list.next
	for i := len(blocks) - 1; i >= 0; i-- {
		b := blocks[i]
		if b.refs--; b.refs == 0 && !b.hashed {
			p.insert(b, front)
		}
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		if b := blocks[i]; b.refs == 0 && b.hashed {
			p.insert(b, &p.list)
		}
	}
}

// publish makes a full block's content known to the prefix cache. Requests
// that compute the same at the same time have a known block each.
func (p *blockPool) publish(b *block, h blockHash) {
	b.hash, b.hashed = h, true
	last := p.cached[h]
	if last == nil {
		p.cached[h] = b
		return
	}
	for last.same != nil {
		last = last.same
	}
	last.same = b
}

// clear empties the prefix cache, unless blocks are in use.
func (p *blockPool) clear() bool {
	if p.free != p.total {
		return false
	}
	for b := p.list.next; b != &p.list; b = b.next {
		b.hashed, b.same = false, nil
	}
	clear(p.cached)
	return true
}

func (p *blockPool) forget(b *block) {
	if !b.hashed {
		return
	}
	switch first := p.cached[b.hash]; {
	case first != b:
		for first.same != b {
			first = first.same
		}
		first.same = b.same
	case b.same != nil:
		p.cached[b.hash] = b.same
	default:
		delete(p.cached, b.hash)
	}
	b.hashed, b.same = false, nil
}

// insert puts b before next in the free list.
func (p *blockPool) insert(b, next *block) {
	b.prev, b.next = next.prev, next
	b.prev.next, b.next.prev = b, b
	p.free++
}

func (p *blockPool) remove(b *block) {
	b.prev.next, b.next.prev = b.next, b.prev
	b.prev, b.next = nil, nil
	p.free--
}
