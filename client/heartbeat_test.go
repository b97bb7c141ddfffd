package client

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := Heartbeat()
		time.Sleep(10*beat + beat/2)
		late := stop()
		assert.Equal(t, make([]time.Duration, 10), late, "timers of a bubble are never late")
	})
}
