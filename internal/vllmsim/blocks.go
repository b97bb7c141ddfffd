package vllmsim

// A block holds the keys and values of Limits.BlockSize consecutive tokens.
type block struct {
	refs   int  // requests that use it
	hashed bool // hash is in the prefix cache
	hash   blockHash

	prev, next *block // neighbours in the free list while refs is 0
}

// A blockPool is the GPU's KV cache: a fixed number of blocks.
//
// A free block keeps its content until it is taken for something else, so the
// free list is also the prefix cache's eviction order: taken from the front,
// returned to the back.
type blockPool struct {
	total  int
	free   int
	list   block // sentinel of the free list
	cached map[blockHash]*block
}

func newBlockPool(total int) *blockPool {
	p := &blockPool{total: total, cached: make(map[blockHash]*block)}
	p.list.prev, p.list.next = &p.list, &p.list
	blocks := make([]block, total)
	for i := range blocks {
		p.append(&blocks[i])
	}
	return p
}

// take returns the free block that was used longest ago, and forgets its
// content. The caller has checked that there is one.
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
	for i := len(blocks) - 1; i >= 0; i-- {
		b := blocks[i]
		if b.refs--; b.refs == 0 {
			p.append(b)
		}
	}
}

// publish makes a full block's content known to the prefix cache. Of blocks
// with the same content the first stays known.
func (p *blockPool) publish(b *block, h blockHash) {
	if _, known := p.cached[h]; !known && !b.hashed {
		b.hash, b.hashed = h, true
		p.cached[h] = b
	}
}

// clear empties the prefix cache, unless blocks are in use.
func (p *blockPool) clear() bool {
	if p.free != p.total {
		return false
	}
	for _, b := range p.cached {
		b.hashed = false
	}
	clear(p.cached)
	return true
}

func (p *blockPool) forget(b *block) {
	if b.hashed {
		delete(p.cached, b.hash)
		b.hashed = false
	}
}

func (p *blockPool) append(b *block) {
	b.prev, b.next = p.list.prev, &p.list
	b.prev.next, b.next.prev = b, b
	p.free++
}

func (p *blockPool) remove(b *block) {
	b.prev.next, b.next.prev = b.next, b.prev
	b.prev, b.next = nil, nil
	p.free--
}
