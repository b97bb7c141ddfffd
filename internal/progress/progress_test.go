package progress

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	erase = "\r\x1b[J"
	s1    = time.Second
)

// cell lets a cell run for 4 s: 1 s of preparation, 2 s of window, 1 s of ending.
func cell(l *Line, name, void string) {
	l.Begin(name)
	time.Sleep(s1)
	l.Window()
	for range 4 {
		l.Sent()
		time.Sleep(s1 / 2)
		l.Ended(50, 20*ms)
		l.Op()
	}
	l.Drain()
	time.Sleep(s1)
	l.End(void)
}

func TestRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{width: 80}
		l := New(f, Plan{Cells: []string{"Latency", "Throughput/batch=1"}, Rounds: 2, Time: 2 * s1})
		time.Sleep(s1)
		assert.Empty(t, f.writes(), "no cell runs")

		l.Begin("Latency")
		time.Sleep(200 * ms)
		assert.Empty(t, f.writes(), "the result before is still on its way")
		time.Sleep(101 * ms)
		assert.Equal(t, "cell 1/2 round 1/2 warm-up  8s left  0 in flight  Latency", f.shows())
		l.Sent()
		time.Sleep(s1)
		l.Ended(80, 30*ms)
		l.Window()
		l.Sent()
		time.Sleep(s1)
		assert.Equal(t, "cell 1/2 round 1/2 47%  6s left  80.0 tok/s  TTFT p50 30.0 ms  1 in flight", f.shows(), "of 50 %, some time ago; the rest of what led there")
		l.Ended(50, 20*ms)
		l.Sent()
		time.Sleep(s1 / 2)
		assert.Equal(t, "cell 1/2 round 1/2 72%  6s left  50.0 tok/s  TTFT p50 20.0 ms  1 in flight", f.shows())
		l.Drain()
		time.Sleep(s1 / 2)
		assert.Contains(t, f.shows(), "ending")
		l.End("")
		assert.Equal(t, erase, f.last(), "gone before End returns")
		n := len(f.writes())
		l.End("")
		time.Sleep(s1)
		assert.Len(t, f.writes(), n, "nothing is drawn between cells")
		require.NoError(t, l.Close())
		require.NoError(t, l.Close())
		assert.True(t, f.closed)
	})
}

// The line is drawn at most every period, and only when it says something new.
func TestRefreshIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{width: 80}
		l := New(f, Plan{Cells: []string{"a"}, Time: 10 * s1})
		l.Begin("a")
		l.Window()
		for range 4000 {
			l.Sent()
			time.Sleep(ms)
			l.Ended(1, ms)
		}
		assert.LessOrEqual(t, len(f.writes()), int(4*s1/period))
		assert.GreaterOrEqual(t, len(f.writes()), 12)
		l.Drain()
		time.Sleep(s1)
		n := len(f.writes())
		time.Sleep(900 * ms) // the time left changes once a second
		assert.LessOrEqual(t, len(f.writes())-n, 1)
		require.NoError(t, l.Close())
		assert.Equal(t, erase, f.last(), "erased at the end")
	})
}

// A terminal of another job is left alone; a slow one holds up no request.
func TestTerminalInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		l := New(f, Plan{})
		cell(l, "a", "")
		assert.Empty(t, f.writes())
		f.be(80, time.Minute)
		l.Begin("b")
		time.Sleep(s1) // now it is being drawn
		began := time.Now()
		l.Window()
		l.Sent()
		l.Ended(1, ms)
		assert.Zero(t, time.Since(began))
		f.be(80, 0) // from the next write on
		time.Sleep(time.Minute)
		l.End("")
		require.NoError(t, l.Close())
		assert.Equal(t, erase, f.last())
	})
}

// The time left is the window's until a cell has ended, then what cells really
// take, those that came after a round by themselves.
func TestEstimate(t *testing.T) {
	e := newEstimate(Plan{Cells: []string{"a", "b", "c"}, Rounds: 2, Time: 2 * s1})
	left := func(index, round int, elapsed time.Duration) time.Duration {
		d, ok := e.left(index, round, elapsed)
		require.True(t, ok)
		return d
	}
	assert.Equal(t, 12*s1, left(0, 1, 0))
	assert.Equal(t, 10*s1, left(0, 1, 5*s1), "it takes longer than thought")
	e.took("a", 8*s1)
	assert.Equal(t, 8*s1-s1+8*s1+24*s1, left(1, 1, s1))
	e.took("b", 4*s1)
	assert.Equal(t, 6*s1+(8+4+6)*s1, left(2, 1, 0))
	e.took("c", 3*s1)
	assert.Equal(t, 8*s1-s1+4*s1+3*s1, left(0, 2, s1))
	assert.Equal(t, 3*s1-s1, left(2, 2, s1))
	_, ok := e.left(-1, 1, 0)
	assert.False(t, ok, "a cell that is not in the plan")

	e = newEstimate(Plan{Cells: []string{"a"}, Rounds: 1, Ops: 5})
	_, ok = e.left(0, 1, 0)
	assert.False(t, ok, "nobody knows how long five operations take")
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{width: 100}
		l := New(f, Plan{Cells: []string{"a", "b"}, Rounds: 2, Ops: 4})
		cell(l, "a", "")
		cell(l, "b", "1 failed (http_5xx): \x1b[2J")
		cell(l, "a", "")
		l.Begin("b")
		time.Sleep(s1 + ms)
		assert.Equal(t, "cell 2/2 round 2/2 warm-up  3s left  0 in flight  b  1 void: 1 failed (http_5xx): [2J", f.shows())
		l.Window()
		l.Sent()
		l.Op()
		l.Ended(10, ms/2)
		l.Op()
		time.Sleep(s1)
		assert.Contains(t, f.shows(), "cell 2/2 round 2/2 50%  2s left")
		assert.Contains(t, f.shows(), "TTFT p50 500 µs")
		require.NoError(t, l.Close())
	})
}

// The median is that of the latest requests, whatever their number.
func TestMedianTTFT(t *testing.T) {
	s := newState(Plan{})
	now := time.Now()
	s.begin("a", now)
	s.window(now)
	for i := range 10 * recent {
		s.ended(1, time.Duration(i+1)*ms, now)
	}
	v, ok := s.view(now.Add(s1))
	require.True(t, ok)
	assert.Equal(t, time.Duration(10*recent-recent/2)*ms, v.ttft)
}

func TestNilLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l *Line
		cell(l, "a", "void")
		assert.NoError(t, l.Close())
	})
}

// BenchmarkRequest is what the line costs a request.
func BenchmarkRequest(b *testing.B) {
	l := New(&fake{width: 80}, Plan{Cells: []string{"a"}, Time: time.Hour})
	l.Begin("a")
	l.Window()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Sent()
			l.Ended(100, ms)
		}
	})
	require.NoError(b, l.Close())
}
