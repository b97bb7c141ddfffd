package schedule

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/lib"
)

// scenario is one as a script writes it.
func scenario(t *testing.T, text string) lib.ExecutorConfig {
	t.Helper()
	var all lib.ScenarioConfigs
	require.NoError(t, json.Unmarshal([]byte(`{"one":`+text+`}`), &all))
	return all["one"]
}

func of(t *testing.T, text, segment, sequence string) *Schedule {
	t.Helper()
	var own *lib.ExecutionSegment
	var whole *lib.ExecutionSegmentSequence
	if segment != "" {
		var err error
		own, err = lib.NewExecutionSegmentFromString(segment)
		require.NoError(t, err)
		all, err := lib.NewExecutionSegmentSequenceFromString(sequence)
		require.NoError(t, err)
		whole = &all
	}
	tuple, err := lib.NewExecutionTuple(own, whole)
	require.NoError(t, err)
	s, err := Of(scenario(t, text), tuple)
	require.NoError(t, err)
	return s
}

const (
	constant = `{"executor":"constant-arrival-rate","rate":240,"timeUnit":"1m","duration":"10s","preAllocatedVUs":8,"maxVUs":8}`
	ramping  = `{"executor":"ramping-arrival-rate","startRate":0,"timeUnit":"1s","preAllocatedVUs":8,"maxVUs":8,
		"stages":[{"target":10,"duration":"10s"},{"target":10,"duration":"5s"},{"target":20,"duration":"0"},{"target":0,"duration":"10s"}]}`
)

func TestDue(t *testing.T) {
	for _, c := range []struct {
		name, scenario string
		i              uint64
		due            time.Duration
	}{
		{"at a constant rate the first is due at once", constant, 0, 0},
		{"then one each period", constant, 7, 1750 * time.Millisecond},
		{"none after the end", constant, 41, 10 * time.Second},
		{"a ramp's first is due once the area under it is 1: t²/2 = 1", ramping, 0, 1414213562},
		{"a ramp's last is due at its end: 50 of them", ramping, 49, 10 * time.Second},
		{"then ten a second", ramping, 59, 11 * time.Second},
		{"100 by the level's end", ramping, 99, 15 * time.Second},
		{"a jump to 20, then down: 20 t - t² = 19", ramping, 118, 15*time.Second + time.Second},
		{"the last one, where the rate is 0", ramping, 199, 25 * time.Second},
		{"none after it", ramping, 200, 25 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.InDelta(t, c.due, of(t, c.scenario, "", "").Due(c.i), 10)
		})
	}
}

func TestWhole(t *testing.T) {
	s := of(t, constant, "", "")
	assert.InEpsilon(t, 4, s.Rate(), 1e-12)
	assert.Equal(t, 10*time.Second, s.Length())
	assert.False(t, s.Varies())
	s = of(t, ramping, "", "")
	assert.InEpsilon(t, 200.0/25, s.Rate(), 1e-12)
	assert.Equal(t, 25*time.Second, s.Length())
	assert.True(t, s.Varies())
	assert.Nil(t, of(t, `{"executor":"constant-vus","vus":3,"duration":"1s"}`, "", ""), "nothing is due in a closed loop")
}

// TestInstancesShareTheSchedule: those of all instances are together those of one.
func TestInstancesShareTheSchedule(t *testing.T) {
	for _, text := range []string{constant, ramping} {
		one := of(t, text, "", "")
		var want []time.Duration
		for i := range uint64(40) {
			want = append(want, one.Due(i))
		}
		for _, segments := range [][]string{{"0:1/2", "1/2:1"}, {"0:1/4", "1/4:1/2", "1/2:3/4", "3/4:1"}, {"0:1/4", "1/4:1"}} {
			sequence := "0"
			for _, s := range segments {
				_, end, _ := strings.Cut(s, ":")
				sequence += "," + end
			}
			var got []time.Duration
			for _, segment := range segments {
				s := of(t, text, segment, sequence)
				for i := range uint64(40) {
					got = append(got, s.Due(i))
				}
			}
			slices.Sort(got)
			assert.Equal(t, want[:30], got[:30], segments)
		}
	}
}
