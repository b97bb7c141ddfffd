package trace

import (
	"bytes"
	"compress/gzip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t testing.TB, text string, o Options) *Trace {
	t.Helper()
	trace, err := Read(strings.NewReader(text), o)
	require.NoError(t, err)
	return trace
}

func TestFormats(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		want       Trace
	}{
		{"mooncake", `{"timestamp": 500, "input_length": 600, "output_length": 3, "hash_ids": [0, 1]}

{"timestamp": 527.5, "input_length": 512, "output_length": 4, "hash_ids": [18446744073709551615], "extra": "x"}
`, Trace{Format: Mooncake, Block: 512, Requests: []Request{{0, 600, 3, []uint64{0, 1}}, {27500 * time.Microsecond, 512, 4, []uint64{1<<64 - 1}}}}},
		{"mooncake without hashes", `{"timestamp": 0, "input_length": 600, "output_length": 3}`, Trace{Format: Mooncake, Requests: []Request{{0, 600, 3, nil}}}},
		{"azure 2023", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109\r\n",
			Trace{Format: Azure, Requests: []Request{{0, 374, 44, nil}, {4314579 * time.Microsecond, 396, 109, nil}}}},
		{"azure 2024", "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 23:59:59.999999+00:00,2162,5\n2024-05-11 00:00:01+00:00,2399,6\n",
			Trace{Format: Azure, Requests: []Request{{0, 2162, 5, nil}, {1000001 * time.Microsecond, 2399, 6, nil}}}},
		{"burstgpt", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,API log\n118,GPT-4,417,276,693,Conversation log\n",
			Trace{Format: BurstGPT, Requests: []Request{{0, 472, 18, nil}, {113 * time.Second, 417, 276, nil}}, LeftOut: LeftOut{NoOutput: 1}}},
		{"burstgpt with sessions", "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n" +
			"19440110.0,1722ac82,43,GPT-4,906,446,1352,Conversation log\n19440161.5,,2,ChatGPT,36,29,65,API log\n",
			Trace{Format: BurstGPT, Requests: []Request{{0, 906, 446, nil}, {51500 * time.Millisecond, 36, 29, nil}}}},
		{"byte order mark, other columns", "\ufeffid, GeneratedTokens, ContextTokens, TIMESTAMP\n1, 2, 3, 2023-11-16 18:15:46\n", Trace{Format: Azure, Requests: []Request{{0, 3, 2, nil}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, &tc.want, read(t, tc.file, Options{}))
			assert.Equal(t, &tc.want, read(t, tc.file, Options{Format: tc.want.Format}))
		})
	}
}

func TestSamples(t *testing.T) {
	for name, want := range map[string]Trace{
		"mooncake.jsonl":        {Format: Mooncake, Block: 512},
		"azure2023.csv":         {Format: Azure},
		"azure2024.csv":         {Format: Azure},
		"burstgpt.csv":          {Format: BurstGPT, LeftOut: LeftOut{NoOutput: 3}},
		"burstgpt-sessions.csv": {Format: BurstGPT, LeftOut: LeftOut{NoOutput: 3}},
	} {
		got, err := ReadFile("../../testdata/traces/"+name, Options{})
		require.NoError(t, err)
		assert.Len(t, got.Requests, 40-want.LeftOut.NoOutput, name)
		format, err := FormatOf("../../testdata/traces/" + name)
		require.NoError(t, err)
		assert.Equal(t, want.Format, format)
		got.Requests = nil
		assert.Equal(t, &want, got, name)
	}
}

func TestGzip(t *testing.T) {
	text, err := os.ReadFile("../../testdata/traces/mooncake.jsonl")
	require.NoError(t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	require.NoError(t, z.Close())
	assert.Equal(t, read(t, string(text), Options{}), read(t, b.String(), Options{}))
	_, err = Read(bytes.NewReader(b.Bytes()[:b.Len()/2]), Options{})
	assert.ErrorContains(t, err, "unexpected EOF")
}

// unsorted has a request each second, those of odd seconds last.
const unsorted = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-01-01 00:00:00,10,1\n2023-01-01 00:00:02,12,1\n2023-01-01 00:00:04,14,1\n" +
	"2023-01-01 00:00:01,1100,1\n2023-01-01 00:00:03,13,0\n2023-01-01 00:00:05,0,1\n"

func TestOptions(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options Options
		at      []time.Duration
		prompts []int
		left    LeftOut
	}{
		{"all", Options{}, []time.Duration{0, 1e9, 2e9, 4e9}, []int{10, 1100, 12, 14}, LeftOut{NoPrompt: 1, NoOutput: 1}},
		{"too long", Options{MaxTokens: 1100}, []time.Duration{0, 2e9, 4e9}, []int{10, 12, 14}, LeftOut{Long: 1, NoPrompt: 1, NoOutput: 1}},
		{"just fits", Options{MaxTokens: 1101, Limit: 2}, []time.Duration{0, 1e9}, []int{10, 1100}, LeftOut{}},
		{"left out before the limit only", Options{MaxTokens: 100, Limit: 2}, []time.Duration{0, 2e9}, []int{10, 12}, LeftOut{Long: 1}},
		{"limit beyond the end", Options{Limit: 9}, []time.Duration{0, 1e9, 2e9, 4e9}, []int{10, 1100, 12, 14}, LeftOut{NoPrompt: 1, NoOutput: 1}},
		{"from", Options{From: 1500 * time.Millisecond}, []time.Duration{0, 2e9}, []int{12, 14}, LeftOut{NoPrompt: 1, NoOutput: 1}},
		{"slower", Options{From: time.Second, TimeScale: 2.5}, []time.Duration{0, 2.5e9, 7.5e9}, []int{1100, 12, 14}, LeftOut{NoPrompt: 1, NoOutput: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := read(t, unsorted, tc.options)
			var at []time.Duration
			var prompts []int
			for _, q := range got.Requests {
				at, prompts = append(at, q.At), append(prompts, q.Prompt)
			}
			assert.Equal(t, tc.at, at)
			assert.Equal(t, tc.prompts, prompts)
			assert.Equal(t, tc.left, got.LeftOut)
		})
	}
}

// A limit frees memory on the way, which must not change what is taken.
func TestLimitOfALongFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("Timestamp,Request tokens,Response tokens\n")
	const n = 3 * spare
	for i := range n {
		at := i
		if i == n-1 {
			at = 0 // the last line is the second request
		}
		b.WriteString(strconv.Itoa(at) + "," + strconv.Itoa(i+1) + "," + strconv.Itoa(i%2) + "\n")
	}
	got := read(t, b.String(), Options{Limit: 3})
	assert.Equal(t, []int{n, 2, 4}, []int{got.Requests[0].Prompt, got.Requests[1].Prompt, got.Requests[2].Prompt})
	assert.Equal(t, LeftOut{NoOutput: 2}, got.LeftOut, "of the time until the last one taken, and the first is of that time")
}

func TestSameInstantKeepsTheOrderOfTheFile(t *testing.T) {
	got := read(t, "Timestamp,Request tokens,Response tokens\n1,5,1\n1,4,1\n1,3,1\n0,9,1\n", Options{})
	assert.True(t, slices.IsSortedFunc(got.Requests, func(a, b Request) int { return b.Prompt - a.Prompt }))
}

func TestMooncakeOfAnotherBlock(t *testing.T) {
	got := read(t, `{"timestamp": 0, "input_length": 33, "output_length": 3, "hash_ids": [0, 1, 2]}`, Options{Block: 16})
	assert.Equal(t, 16, got.Block)
}
