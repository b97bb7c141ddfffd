package results

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/engine"
)

// snapshot is one in which every number is another.
func snapshot() *engine.Snapshot {
	s := &engine.Snapshot{At: epoch, Engines: 2, Started: 1.7e9, Created: 3.4e9}
	n := 0.0
	next := func() float64 { n++; return n }
	s.Finished = map[string]float64{"length": next(), "stop": next()}
	v := reflect.ValueOf(s).Elem()
	for _, f := range append(reflect.VisibleFields(reflect.TypeFor[engine.Counters]()), reflect.VisibleFields(reflect.TypeFor[engine.Snapshot]())...) {
		switch p := v.FieldByName(f.Name).Addr().Interface().(type) {
		case *engine.Value:
			*p = engine.Value{N: next(), Known: true}
		case *engine.Hist:
			*p = engine.Hist{Sum: next(), Count: next(), Known: true}
		}
	}
	return s
}

// TestReadingKeepsEverySnapshot: a counter that engine learns to read and the record does not keep fails here.
func TestReadingKeepsEverySnapshot(t *testing.T) {
	full := snapshot()
	assert.Equal(t, full, ReadingOf(full).Snapshot())

	some := snapshot()
	some.Finished, some.Requests, some.ITL, some.ExternalHits = nil, engine.Value{}, engine.Hist{}, engine.Value{}
	assert.Equal(t, some, ReadingOf(some).Snapshot(), "what is unknown stays so")
	assert.Equal(t, full.Since(some), ReadingOf(full).Snapshot().Since(ReadingOf(some).Snapshot()))
}

func TestInstanceIsSaved(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "instance-2")
	before, after := snapshot(), snapshot()
	after.At, after.PromptTokens.N = after.At.Add(time.Minute), 1000
	h := header("n")
	h.Instance = &Instance{Name: "instance-2", Segment: "1/4:1/2", Before: ReadingOf(before), Asked: []Asked{{PromptTokens: 3, OutputTokens: 1}}}
	w, err := Create(dir, h)
	require.NoError(t, err)
	require.NoError(t, w.Row(row("throughput", "Throughput/batch=4", 0), requests(1)))

	killed := reopen(t, dir)
	assert.Equal(t, h.Instance, killed.Header.Instance, "as it is if the instance dies here")

	require.NoError(t, w.After(*ReadingOf(after)))
	require.NoError(t, w.Close(true))
	run := reopen(t, dir)
	assert.True(t, run.Complete)
	assert.Empty(t, run.Warnings)
	require.NotNil(t, run.Header.Instance.After)
	assert.Equal(t, after, run.Header.Instance.After.Snapshot())
	assert.Nil(t, h.Instance.After)
}
