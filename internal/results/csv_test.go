package results

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/measure"
)

// TestCSVHasNoFormulas: a spreadsheet computes nothing that a server said, and numbers stay numbers.
func TestCSVHasNoFormulas(t *testing.T) {
	void := row("latency", "Latency", 1)
	void.Void = []string{"=HYPERLINK(\"http://else\")\n+1"}
	odd := row("latency", "Latency", 0)
	odd.Values = []measure.Value{{Metric: "@SUM(A1)", Value: -1.5}}
	odd.LeftOut = []measure.LeftOut{{Metric: "-1+1", Reason: "\t=1"}}
	var text bytes.Buffer
	require.NoError(t, tables[0].write(&text, []*Run{{Name: "=run", Rows: []Row{{Measured: odd}, {Measured: void}}}}))
	all, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)
	require.Len(t, all, 4)
	negative := 0
	for _, record := range all[1:] {
		for i, field := range record {
			if columns[i] == "value" && field == "-1.5" {
				negative++
				continue
			}
			assert.NotRegexp(t, `^[=+\-@\t\r]`, field, columns[i])
		}
	}
	assert.Equal(t, 1, negative)
	assert.Equal(t, "'=HYPERLINK(\"http://else\")\n+1", all[3][len(columns)-1])
}
