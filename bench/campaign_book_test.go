package bench

import (
	"slices"
	"sync"
	"time"

	"vllmbench/internal/vllmsim"
)

// A book holds what the server says it did to streams, by their salts. The zero value is ready.
type book struct {
	mu      sync.Mutex
	pages   map[string]chan vllmsim.Truth
	unknown int
}

// tell is the server's callback.
func (b *book) tell(truth vllmsim.Truth) {
	if truth.CacheSalt == "" {
		return // learn's
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	page := b.pages[truth.CacheSalt]
	select {
	case page <- truth:
	default:
		b.unknown++
	}
}

// open begins the page of a stream.
func (b *book) open(salt string) chan vllmsim.Truth {
	page := make(chan vllmsim.Truth, 64) // a request may be repeated for each stale connection
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages == nil {
		b.pages = map[string]chan vllmsim.Truth{}
	}
	b.pages[salt] = page
	return page
}

// close ends the page. It waits for the server to end the request that the
// client got its answer from; one that it never answered it has ended already.
func (b *book) close(salt string, page chan vllmsim.Truth, noAnswer bool) (told []vllmsim.Truth) {
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	for {
		select {
		case truth := <-page:
			told = append(told, truth)
			continue
		default:
		}
		if noAnswer && len(told) > 0 || len(told) > 0 && !unanswered(&told[len(told)-1]) {
			break
		}
		select {
		case truth := <-page:
			told = append(told, truth)
			continue
		case <-deadline.C:
		}
		break
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.pages, salt)
	return told
}

// strays are requests that came when their stream had its result, or that nobody sent.
func (b *book) strays() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unknown
}

// unanswered says whether the connection ended before a byte of an answer: a
// client that used it before takes it for one that the server had closed, and repeats the request.
func unanswered(truth *vllmsim.Truth) bool {
	return slices.ContainsFunc(truth.Faults, func(f vllmsim.Fault) bool { return f.Name() == "refuse" || f.Name() == "reset-header" })
}
