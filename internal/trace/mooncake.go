package trace

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// maxLine is in bytes: hashes of a prompt of 100 million tokens.
const maxLine = 1 << 21

// A mooncakeLine has pointers to tell what is missing from what is 0.
type mooncakeLine struct {
	Timestamp *float64 `json:"timestamp"` // ms
	Input     *int     `json:"input_length"`
	Output    *int     `json:"output_length"`
	Hashes    []uint64 `json:"hash_ids"`
}

// mooncakeLines reads JSON lines. Blank ones are passed over.
func mooncakeLines(r io.Reader, block int) func() (Request, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	return func() (Request, error) {
		for lines.Scan() {
			n++
			text := bytes.TrimSpace(lines.Bytes())
			if len(text) == 0 {
				continue
			}
			request, err := mooncakeRequest(text, block)
			if err != nil {
				return Request{}, fmt.Errorf("line %d: %w", n, err)
			}
			return request, nil
		}
		if err := lines.Err(); err != nil {
			return Request{}, fmt.Errorf("line %d: %w", n+1, err)
		}
		return Request{}, io.EOF
	}
}

func mooncakeRequest(text []byte, block int) (Request, error) {
	var l mooncakeLine
	if err := json.Unmarshal(text, &l); err != nil {
		return Request{}, fmt.Errorf("%.60q is not a request of a %s trace: %w", text, Mooncake, err)
	}
	for _, field := range []struct {
		name    string
		missing bool
	}{{"timestamp", l.Timestamp == nil}, {"input_length", l.Input == nil}, {"output_length", l.Output == nil}} {
		if field.missing {
			return Request{}, fmt.Errorf("it has no %s, which every line of a %s trace has", field.name, Mooncake)
		}
	}
	at, err := instant(*l.Timestamp / 1e3)
	if err != nil {
		return Request{}, fmt.Errorf("timestamp: %w", err)
	}
	for _, n := range []int{*l.Input, *l.Output} {
		if n < 0 || n > maxTokens {
			return Request{}, fmt.Errorf("%d is not a number of tokens", n)
		}
	}
	if want := (*l.Input + block - 1) / block; l.Hashes != nil && len(l.Hashes) != want {
		return Request{}, fmt.Errorf("input_length %d is %d blocks of %d tokens, but hash_ids has %d: name the number of tokens in a block of this trace",
			*l.Input, want, block, len(l.Hashes))
	}
	return Request{At: at, Prompt: *l.Input, Output: *l.Output, Blocks: l.Hashes}, nil
}

// instant converts a number of seconds since the start or since 1970.
func instant(s float64) (time.Duration, error) {
	if !(s >= 0 && s <= maxInstant) {
		return 0, fmt.Errorf("%v s is not a time since the start or since 1970", s)
	}
	return time.Duration(math.Round(s * 1e9)), nil
}

// maxInstant is in seconds since 1970, in the year 2096: nanoseconds until then fit into an int64.
const maxInstant = 4e9
