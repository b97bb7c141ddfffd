package results

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

// FuzzRead reads any text as run.jsonl. What is whole stays so when a kill
// leaves half a line behind it.
func FuzzRead(f *testing.F) {
	_, text := saved(f)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add([]byte(`{"header":{"schema_version":1}}` + "\n" + `{"row":{"requests":{"offset":9223372036854775807,"bytes":1}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := read(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, row := range run.Rows {
			require.True(t, row.Requests.valid())
		}
		for i, s := range run.GPU {
			require.Len(t, s.GPUs, len(run.Header.Devices))
			require.True(t, i == 0 || s.At >= run.GPU[i-1].At)
		}
		longer, err := read(strings.NewReader(string(text) + "\n{\"row\":{\"st"))
		require.NoError(t, err)
		require.Equal(t, run.Rows, longer.Rows)
		require.Equal(t, run.GPU, longer.GPU)
		require.NotEqual(t, run.Warnings, longer.Warnings)
	})
}

// FuzzRequests reads any text as the requests of a row: in a gzip member, and
// as if it were one. What can be read is the same once written again.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"at_ns":[5,3],"lag_ns":[1,2],"tokens":[1,2],"merged":[1],"outcome":"ok"}`))
	f.Add([]byte(`{"at_ns":[5],"lag_ns":[]}`))
	f.Add([]byte(`{} {"error":"x"}`))
	member, err := encodeRequests(requests(3))
	require.NoError(f, err)
	f.Add(member)
	f.Fuzz(func(t *testing.T, text []byte) {
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		z.Write(text)
		require.NoError(t, z.Close())
		for _, member := range [][]byte{text, zipped.Bytes()} {
			var found []client.Result
			yield := func(r client.Result) bool { found = append(found, r); return len(found) < 100 }
			_ = decodeRequests(bytes.NewReader(member), yield)
			again, err := encodeRequests(found)
			require.NoError(t, err)
			first := found
			found = nil
			require.NoError(t, decodeRequests(bytes.NewReader(again), yield))
			require.Equal(t, first, found)
		}
	})
}
