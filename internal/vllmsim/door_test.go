package vllmsim

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestDoorLetsOneAfterAnotherThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := door{each: 5 * time.Millisecond}
		begin := time.Now()
		var mu sync.Mutex
		var group sync.WaitGroup
		through := make(map[time.Duration]int)
		for range 3 {
			group.Go(func() {
				d.pass()
				mu.Lock()
				defer mu.Unlock()
				through[time.Since(begin)]++
			})
		}
		group.Wait()
		assert.Equal(t, map[time.Duration]int{5e6: 1, 10e6: 1, 15e6: 1}, through)
		time.Sleep(time.Second)
		begin = time.Now()
		d.pass()
		assert.Equal(t, 5*time.Millisecond, time.Since(begin), "it saves up nothing")
	})
}

func TestNoDoor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		new(door).pass()
		assert.Zero(t, time.Since(begin))
	})
}
