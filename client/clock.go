package client

import "time"

// A clock counts from an epoch, on the monotonic clock.
type clock struct{ epoch time.Time }

func (c clock) now() time.Duration { return time.Since(c.epoch) }

// An arrival is what one read returned, or several ones of bytes that TCP had merged under one stamp.
type arrival struct {
	seq     uint64        // counts arrivals of the request, from 1
	at      time.Duration // when the bytes reached this host, since the epoch
	seen    time.Duration // when the client read them, since the epoch
	stamped bool          // at is the kernel's, not a copy of seen
}

// arrivalOf places a kernel stamp (nanoseconds of wall-clock time, 0 if there
// is none) on the client's clock, given the time at which the read returned.
// A stamp from the future, or from before earliest, means that the wall clock
// was stepped: such a stamp is dropped.
func (c clock) arrivalOf(stamp int64, read time.Time, earliest time.Duration) arrival {
	seen := read.Sub(c.epoch)
	if stamp != 0 {
		wait := time.Duration(read.UnixNano() - stamp)
		if at := seen - wait; wait >= 0 && at >= earliest {
			return arrival{at: at, seen: seen, stamped: true}
		}
	}
	return arrival{at: seen, seen: seen}
}
