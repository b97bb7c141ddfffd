package trace

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	azureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	burstHeader = "Timestamp,Model,Request tokens,Response tokens\n"
)

func TestReadRefuses(t *testing.T) {
	for _, tc := range []struct {
		file, want string
		options    Options
	}{
		{file: "", want: "the trace is empty"},
		{file: " \n", want: "the trace is empty"},
		{file: azureHeader, want: "the trace is empty"},
		{file: "a,b\n1,2\n", want: `line 1 "a,b" is neither a JSON object (mooncake) nor a header with ContextTokens (azure) or Request tokens (burstgpt): convert it to one of these`},
		{file: azureHeader + "2023-11-16 18:15:46,1,1\n", options: Options{Format: BurstGPT}, want: "line 1: the header has no column Timestamp, which the format burstgpt needs"},
		{file: "x,ContextTokens\n", want: "line 1: the header has no column TIMESTAMP, which the format azure needs"},
		{file: azureHeader, options: Options{Format: Mooncake}, want: `line 1: "TIMESTAMP,ContextTokens,GeneratedTokens" is not a request of a mooncake trace: invalid character 'T' looking for beginning of value`},
		{file: "{}", want: "line 1: it has no timestamp, which every line of a mooncake trace has"},
		{file: `{"timestamp": 1, "input_length": 2}`, want: "line 1: it has no output_length, which every line of a mooncake trace has"},
		{file: `{"timestamp": -1, "input_length": 2, "output_length": 1}`, want: "line 1: timestamp: -0.001 s is not a time since the start or since 1970"},
		{file: "{\"timestamp\": 1, \"input_length\": 2, \"output_length\": 1}\n\n{\"timestamp\": 1, \"input_length\": -2, \"output_length\": 1}", want: "line 3: -2 is not a number of tokens"},
		{file: `{"timestamp": 1, "input_length": 513, "output_length": 1, "hash_ids": [1]}`,
			want: "line 1: input_length 513 is 2 blocks of 512 tokens, but hash_ids has 1: name the number of tokens in a block of this trace"},
		{file: "{" + strings.Repeat(" ", maxLine), want: "line 1: bufio.Scanner: token too long"},
		{file: azureHeader + "2023-11-16 18:15:46,1,1\n16.11.2023,1,1\n", want: `line 3: TIMESTAMP: "16.11.2023" is not a time of the form 2023-11-16 18:17:03.9799600 or 2024-05-10 00:00:00.009930+00:00`},
		{file: azureHeader + "2023-11-16 18:15:46,x,1\n", want: `line 2: ContextTokens: "x" is not a number of tokens`},
		{file: azureHeader + "2023-11-16 18:15:46,1,99999999999\n", want: `line 2: GeneratedTokens: "99999999999" is not a number of tokens`},
		{file: azureHeader + "2023-11-16 18:15:46,1\n", want: "line 2: wrong number of fields"},
		{file: burstHeader + "soon,GPT-4,1,1\n", want: `line 2: Timestamp: "soon" is not a number of seconds`},
		{file: burstHeader + "nan,GPT-4,1,1\n", want: "line 2: Timestamp: NaN s is not a time since the start or since 1970"},
		{file: burstHeader + "0,GPT-4,10,1\n1,GPT-4,5,0\n", options: Options{MaxTokens: 10}, want: "no request can be sent: 1 longer than the context, 1 without an output"},
		{file: burstHeader + "0,GPT-4,10,1\n", options: Options{From: time.Minute}, want: "no request comes 1m0s or later after the first: name an earlier start"},
		{file: burstHeader + "0,GPT-4,1,1\n1,GPT-4,1,1\n", options: Options{TimeScale: 1e8}, want: "request 2 comes more than 8784h0m0s after the first: name a limit, or a smaller time scale"},
		{options: Options{TimeScale: math.NaN()}, want: "a time scale of NaN is not between 0 and 1e+09: 1 is as recorded, 2 is half the rate"},
		{options: Options{Limit: -1}, want: "the start 0s, the limit -1, the context 0 and the block 0 of a trace cannot be negative"},
		{options: Options{Limit: maxRequests + 1}, want: "a limit of 10000001 is more than the 10000000 requests that can be replayed"},
		{file: "x", options: Options{Format: "x"}, want: `"x" is no trace format: name mooncake, azure or burstgpt`},
	} {
		_, err := Read(strings.NewReader(tc.file), tc.options)
		assert.EqualError(t, err, tc.want, "%.80q", tc.file)
	}
	_, err := ReadFile("refuse_test.go", Options{})
	assert.ErrorContains(t, err, "reading the trace refuse_test.go: line 1 ")
	_, err = FormatOf("refuse_test.go")
	assert.ErrorContains(t, err, "line 1 ")
	_, err = FormatOf("none")
	assert.ErrorContains(t, err, "opening the trace: open none")
	_, err = ReadFile("none", Options{})
	assert.ErrorContains(t, err, "opening the trace: open none")
}

func TestParseFormat(t *testing.T) {
	for name, want := range map[string]Format{"": "", "auto": "", "azure": Azure, "mooncake": Mooncake, "burstgpt": BurstGPT} {
		got, err := ParseFormat(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := ParseFormat("csv")
	assert.EqualError(t, err, `"csv" is no trace format: name auto, mooncake, azure or burstgpt`)
}

// fuzz checks that what is read without an error can be replayed.
func fuzz(f *testing.F, format Format) {
	f.Fuzz(func(t *testing.T, file string) {
		got, err := Read(strings.NewReader(file), Options{Format: format, MaxTokens: 1 << 20})
		if err != nil {
			return
		}
		require.NotEmpty(t, got.Requests)
		require.Zero(t, got.Requests[0].At)
		before := time.Duration(0)
		for _, q := range got.Requests {
			require.GreaterOrEqual(t, q.At, before)
			require.LessOrEqual(t, q.At, maxLength)
			require.Positive(t, q.Prompt)
			require.Positive(t, q.Output)
			if q.Blocks != nil {
				require.Len(t, q.Blocks, (q.Prompt+got.Block-1)/got.Block)
			}
			before = q.At
		}
		s := got.Stats()
		require.Equal(t, len(got.Requests), s.Requests)
		require.NotContains(t, fmt.Sprint(s), "NaN")
	})
}

func FuzzMooncake(f *testing.F) {
	f.Add(`{"timestamp": 27482, "input_length": 600, "output_length": 52, "hash_ids": [46, 47]}` + "\n" + `{"timestamp": 0.5, "input_length": 1, "output_length": 1}`)
	fuzz(f, Mooncake)
}

func FuzzAzure(f *testing.F) {
	f.Add(azureHeader + "2023-11-16 18:15:46.6805900,374,44\n2024-05-10 00:00:00.009930+00:00,1,2\n")
	f.Add(azureHeader + "2023-11-16 18:15:46Z,\"3\",44\n\n1969-01-01 00:00:00-23:59,1,2\n")
	fuzz(f, Azure)
}

func FuzzBurstGPT(f *testing.F) {
	f.Add(burstHeader + "5,ChatGPT,472,18\n45,ChatGPT,1087,0\n1e3,GPT-4,1,1\n")
	fuzz(f, BurstGPT)
}

func FuzzAnyFormat(f *testing.F) {
	f.Add("\ufeff" + burstHeader + "5,ChatGPT,472,18\n")
	f.Add(azureHeader + "2023-11-16 18:15:46.6805900,374,44\n")
	f.Add("\x1f\x8b\x08")
	fuzz(f, "")
}
