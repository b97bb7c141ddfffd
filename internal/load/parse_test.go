package load

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadArrivals(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		want       Arrivals
	}{
		{"times", "# a recording\n0\n0.25\n\n0.25 # twice\n1e1\n", Arrivals{Times: []time.Duration{0, 250e6, 250e6, 10e9}}},
		{"phases", "2 30s\r\n2..8.5\t1m30s\n0 10", Arrivals{Phases: []Phase{{2, 2, 30e9}, {2, 8.5, 90e9}, {0, 0, 10e9}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, err := ReadArrivals(strings.NewReader(tc.file))
			require.NoError(t, err)
			assert.Equal(t, tc.want, a)
			schedule(t, a)
		})
	}
}

func TestReadArrivalsRefuses(t *testing.T) {
	for _, tc := range []struct{ file, want string }{
		{"# nothing\n", "the schedule is empty: it needs a time in seconds a line, or a rate and a length"},
		{"1\nx\n", `line 2 of the schedule: "x" is not a time in seconds since the start`},
		{"-1\n", `line 1 of the schedule: "-1" is not a time in seconds since the start`},
		{"1e300\n", `line 1 of the schedule: "1e300" is not a time in seconds since the start`},
		{"2\n1\n", `line 2 of the schedule: "1" is earlier than the arrival before it: sort the times`},
		{"1\n4 30s\n", `line 2 of the schedule: "4 30s": every line is a time in seconds, or every line is a rate and a length`},
		{"4 30s\n1\n", `line 2 of the schedule: "1": every line is a time in seconds, or every line is a rate and a length`},
		{"4 30s 5\n", `line 1 of the schedule: "4 30s 5": every line is a time in seconds, or every line is a rate and a length`},
		{"4.. 30s\n", `line 1 of the schedule: "4.." is not a rate in requests a second: write 4, or 4..16 for a ramp`},
		{"nan 30s\n", `line 1 of the schedule: "nan" is not a rate in requests a second: write 4, or 4..16 for a ramp`},
		{"4 soon\n", `line 1 of the schedule: "soon" is not a length: write 30s or 1m30s`},
		{"1\n" + strings.Repeat("2", 1<<17), "line 2 of the schedule: bufio.Scanner: token too long"},
	} {
		_, err := ReadArrivals(strings.NewReader(tc.file))
		assert.EqualError(t, err, tc.want)
	}
}

func TestParseRates(t *testing.T) {
	p, err := ParseRates("2, 4,0..8", time.Minute)
	require.NoError(t, err)
	assert.Equal(t, []Phase{{2, 2, time.Minute}, {4, 4, time.Minute}, {0, 8, time.Minute}}, p)
	for _, list := range []string{"", "2,", "2;4", "-1", "inf", "1..2..3"} {
		_, err := ParseRates(list, time.Minute)
		assert.ErrorContains(t, err, "is not a rate in requests a second: write 4, or 4..16 for a ramp", list)
	}
}

// FuzzReadArrivals: what is read without an error makes a schedule in order, or is refused with a sentence.
func FuzzReadArrivals(f *testing.F) {
	for _, s := range []string{"0\n1.5\n", "2 30s\n2..8 1m\n", "# x\n\n4 1e-9\n", "1e7 0.1ns", "0..1e-300 8784h", "9 -1s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		a, err := ReadArrivals(strings.NewReader(file))
		if err != nil {
			return
		}
		if mean, err := a.mean(); len(a.Times) == 0 && (err != nil || mean > 10_000) {
			return // refused, or right but slow
		}
		s, err := a.Schedule()
		require.NoError(t, err)
		require.NotEmpty(t, s)
		before := time.Duration(0)
		for _, at := range s {
			require.GreaterOrEqual(t, at, before)
			before = at
		}
		require.LessOrEqual(t, before, maxLength)
	})
}
