package vllmsim

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDoorIsShared(t *testing.T) {
	const each = 6 * time.Millisecond
	ms := func(n float64) time.Duration { return time.Duration(n * 1e6) }
	tests := []struct {
		name   string
		enter  []time.Duration
		leaves []time.Duration
	}{
		{"alone", []time.Duration{0}, []time.Duration{each}},
		{"together", []time.Duration{0, 0, 0}, []time.Duration{3 * each, 3 * each, 3 * each}},
		{"one after another", []time.Duration{0, ms(10)}, []time.Duration{each, ms(16)}},
		{"half way", []time.Duration{0, ms(3)}, []time.Duration{ms(9), ms(12)}},
		{"at the end", []time.Duration{0, each}, []time.Duration{each, 2 * each}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			d := door{each: each}
			var visits []*visit
			for _, at := range tt.enter {
				visits = append(visits, d.enter(begin.Add(at)))
			}
			last := visits[len(visits)-1]
			assert.InDelta(t, tt.leaves[len(visits)-1], d.expected(last).Sub(begin), 10)
			d.advance(begin.Add(time.Second))
			for i, v := range visits {
				assert.InDelta(t, tt.leaves[i], v.through.Sub(begin), 10, "request %d", i)
			}
			assert.Empty(t, d.inside)
		})
	}
}

func TestFrontDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := frontDoor{door: door{each: 5 * time.Millisecond}, latency: time.Millisecond}
		begin := time.Now()
		var mu sync.Mutex
		var group sync.WaitGroup
		var through []time.Duration
		for i := range 3 {
			group.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				f.pass()
				mu.Lock()
				defer mu.Unlock()
				through = append(through, time.Since(begin).Round(10*time.Microsecond))
			})
		}
		group.Wait()
		// The first has 1 + 1/2 of its 5 ms by 2 ms, and the rest at a third of the CPU.
		assert.Equal(t, []time.Duration{13500 * time.Microsecond, 15500 * time.Microsecond, 16 * time.Millisecond}, through)
	})
}

func TestNoDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		new(frontDoor).pass()
		assert.Zero(t, time.Since(begin))
	})
}
