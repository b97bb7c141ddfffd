package vllmsim

import (
	"crypto/sha256"
	"encoding/binary"
)

// A blockHash names the content of a full block and of all blocks before it.
// It chains, since a token's keys and values depend on everything before it.
type blockHash [sha256.Size]byte

// hashTo extends r.hashes to the first n full blocks of size tokens. The cache
// salt enters at the first block, and so keeps whole sequences apart.
func (r *Request) hashTo(n, size int) {
	for len(r.hashes) < n {
		i := len(r.hashes)
		buf := make([]byte, 0, sha256.Size+4*size+len(r.CacheSalt))
		if i == 0 {
			buf = append(buf, r.CacheSalt...)
		} else {
			buf = append(buf, r.hashes[i-1][:]...)
		}
		for t := i * size; t < (i+1)*size; t++ {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(r.Token(t)))
		}
		r.hashes = append(r.hashes, sha256.Sum256(buf))
	}
}
