package vllmsim

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRule(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"crlf", "crlf"},
		{"reset", "reset@1"},
		{"reset@7", "reset@7"},
		{"end", "end@done"},
		{"stall=2s@0:0.25", "stall=2s@0:0.25"},
		{"stall@done", "stall=ever@done"},
		{"status=503/html", "status=503/html"},
		{"comments=3,crlf|none|tokens=-2:1", "comments=3,crlf|none|tokens=-2"},
		{"metrics-without=generation_tokens:0.5", "metrics-without=generation_tokens:0.5"},
	} {
		r, err := ParseRule(tt.in)
		require.NoError(t, err, tt.in)
		assert.Equal(t, tt.want, r.String())
	}
}

func TestParseRuleErrors(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `unknown fault "": use one of stall-header, refuse, `},
		{"nope", `unknown fault "nope": use one of stall-header, refuse, `},
		{"crlf=1", "fault crlf: it takes no value"},
		{"crlf@1", "fault crlf: it has no place in the stream, leave out @1"},
		{"reset@x", `fault reset: place "x" must be a number of tokens, or done`},
		{"reset@-1", `fault reset: place "-1" must be a number of tokens, or done`},
		{"tokens=0", `fault tokens: value "0" must be a whole number of -32768 to 32768, not 0`},
		{"join=1", `fault join: value "1" must be a whole number of 2 to 1000000, not 0`},
		{"stall=0s", `fault stall: value "0s" must be a time such as 500ms, or ever`},
		{"error=odd", `fault error: value "odd" must be one of new, old, string, comment, event, undone, bare`},
		{"status=200", `fault status: value "200" must be a status of 400 to 599, and after it /new, /old, /text, /html or nothing`},
		{"status=500/", `fault status: value "500/" must be a status of 400 to 599, and after it /new, /old, /text, /html or nothing`},
		{"metrics-without=*", `fault metrics-without: value "*" must be letters and underscores of metric names`},
		{"crlf:0", `share "0": it must be a number above 0 and at most 1`},
		{"crlf:NaN", `share "NaN": it must be a number above 0 and at most 1`},
		{"crlf,", `unknown fault "": use one of `},
	} {
		_, err := ParseRule(tt.in)
		require.Error(t, err, tt.in)
		assert.True(t, strings.HasPrefix(err.Error(), tt.want), err)
	}
}

func FuzzParseRule(f *testing.F) {
	for _, k := range faultKinds {
		f.Add(k.name + ":0.5")
	}
	f.Add("stall=1h@done,error=old@3|status=404/nothing|none:1e-3")
	f.Fuzz(func(t *testing.T, in string) {
		r, err := ParseRule(in)
		if err != nil {
			assert.Empty(t, r)
			return
		}
		assert.True(t, r.share > 0 && r.share <= 1)
		again, err := ParseRule(r.String())
		require.NoError(t, err)
		assert.Equal(t, r.String(), again.String())
	})
}

// Outcomes that depend on the value; the others are in the table.
func TestOutcome(t *testing.T) {
	for in, want := range map[string]string{
		"status=429": "http_4xx", "status=503": "http_5xx",
		"stall@0": "timeout_first_token", "stall": "timeout_stall", "stall=1s@0": "ok", "stall-header": "timeout_first_token",
		"finish": "truncated", "finish=abort": "stream_error", "finish=stop": "ok",
		"reset": "stream_error", "crlf": "ok",
	} {
		faults, err := ParseFaults(in)
		require.NoError(t, err)
		assert.Equal(t, want, faults[0].Outcome(), in)
	}
}

func rules(t *testing.T, texts ...string) (rs []Rule) {
	t.Helper()
	for _, s := range texts {
		r, err := ParseRule(s)
		require.NoError(t, err)
		rs = append(rs, r)
	}
	return rs
}

func TestShares(t *testing.T) {
	const n = 20000
	picks := func(f Faults, id func(i int) string) (counts map[string]int, order string) {
		counts = map[string]int{}
		var b strings.Builder
		for i := range n {
			got := joinFaults(f.pick(id(i), uint64(i)))
			counts[got]++
			fmt.Fprintln(&b, got)
		}
		return counts, b.String()
	}
	unnamed := func(int) string { return "" }
	named := func(i int) string { return fmt.Sprintf("id-%d", i) }
	f := Faults{Rules: rules(t, "crlf:0.5", "refuse|gzip:0.2"), Seed: 7}
	for _, id := range []func(int) string{unnamed, named} {
		counts, order := picks(f, id)
		_, again := picks(f, id)
		assert.Equal(t, order, again, "the same seed, the same requests")
		other := f
		other.Seed++
		_, order2 := picks(other, id)
		assert.NotEqual(t, order, order2)
		for want, share := range map[string]float64{"none": 0.4, "crlf": 0.4, "refuse": 0.05, "gzip": 0.05, "crlf,refuse": 0.05, "crlf,gzip": 0.05} {
			assert.InDelta(t, share, float64(counts[want])/n, 0.01, want)
		}
		assert.Len(t, counts, 6)
	}
	assert.Equal(t, f.pick("a", 1), f.pick("a", 2), "a request that is repeated meets the same")
	f = Faults{Rules: rules(t, "crlf"), After: 3}
	counts, _ := picks(f, unnamed)
	assert.Equal(t, map[string]int{"none": 3, "crlf": n - 3}, counts)
}

func TestFaultFlags(t *testing.T) {
	o, err := parseFlags([]string{"--fault", "crlf", "--fault=reset@3:0.5", "--fault-seed=9", "--fault-after=2", "--faults"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, Faults{Rules: rules(t, "crlf", "reset@3:0.5"), Seed: 9, After: 2, Header: true}, o.Faults)
	var stderr strings.Builder
	_, err = parseFlags([]string{"--fault=crlf:2"}, &stderr)
	require.Error(t, err)
	assert.Contains(t, stderr.String(), `invalid value "crlf:2" for flag -fault: share "2": it must be a number above 0 and at most 1`)
}

func TestFaultsAreTold(t *testing.T) {
	_, version := do(t, "GET", start(t, Config{Faults: Faults{Rules: rules(t, "crlf:0.5", "end"), Header: true}})+"/version", "")
	assert.JSONEq(t, `{"version":"`+Version+` (faults are on: crlf:0.5 and end@done and those of header X-Vllmsim-Fault)"}`, version)
	_, version = do(t, "GET", start(t, Config{Faults: Faults{Truth: func(Truth) {}}})+"/version", "")
	assert.JSONEq(t, `{"version":"`+Version+`"}`, version, "nothing is wrong with a server that tells the truth")
}

// TestFaultsDocument holds the table in docs/faults.md to the one in the code.
func TestFaultsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("| fault | VALUE | on the wire | seen | outcome |\n|---|---|---|---|---|\n")
	for _, k := range faultKinds {
		name, value, outcome := "`"+k.name+"`", k.value.syntax, k.outcome
		if k.at != nowhere {
			name += " `@" + position(k.at) + "`"
		}
		if value != "" {
			value += " (`" + k.preset + "`)"
		}
		if k.scrape {
			outcome = "no ledger"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", name, value, k.wire, k.seen, outcome)
		_, err := ParseFaults(k.name)
		assert.NoError(t, err, "the value by default")
	}
	const file = "../../docs/faults.md"
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(page), "<!-- faults -->\n")
	require.True(t, ok)
	table, tail, ok := strings.Cut(rest, "<!-- end of faults -->\n")
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(head+"<!-- faults -->\n"+b.String()+"<!-- end of faults -->\n"+tail), 0o644))
		return
	}
	assert.Equal(t, b.String(), table, "run with -update")
}
