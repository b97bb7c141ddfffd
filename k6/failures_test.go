package k6

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// TestOutcomes: a failure is an answer with its reason, k6's metric counts it by outcome, and the row is void.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for fault, outcome := range map[string]string{"status=503": "http_5xx", "status=400": "http_4xx", "refuse": "connect", "tokens=-1": "wrong_length", "stall-header=ever": "timeout_first_token"} {
		t.Run(outcome, func(t *testing.T) {
			t.Parallel()
			rule, err := vllmsim.ParseRule(fault)
			require.NoError(t, err)
			url := simulate(t, vllmsim.Config{Faults: vllmsim.Faults{Rules: []vllmsim.Rule{rule}, After: 1}}) // the first is of discovery
			dir := t.TempDir()
			printed, code := k6(t, nil, "--out", "vllmbench="+dir, "--summary-export", filepath.Join(dir, "summary.json"), script(t, `
vllmbench.server({url: '`+url+`', firstTokenTimeout: '100ms'});
export const options = {iterations: 2, thresholds: {'vllm_void{outcome:`+outcome+`}': ['rate==1']}};
export default function () {
  const a = vllmbench.generate({prompt: 20, output: 5});
  if (a.outcome !== '`+outcome+`' || !a.voided || a.met || a.error === '') throw new Error(JSON.stringify(a));
}
`))
			require.Zero(t, code, printed)
			assert.Empty(t, said(printed, "level=error"))
			metrics := summary(t, filepath.Join(dir, "summary.json"))
			assert.EqualValues(t, 2, metrics["vllm_void"]["passes"], "k6 calls a rate's ones so")
			assert.NotContains(t, metrics, "vllm_ttft", "a failed request has no times")
			run, _ := record(t, filepath.Join(dir, "instance-1"))
			require.NotEmpty(t, run.Rows[0].Measured.Void)
			assert.Contains(t, run.Rows[0].Measured.Void[0], "2 failed ("+outcome+")")
		})
	}
}

// TestMistakes: what is wrong is said in a sentence that names it.
func TestMistakes(t *testing.T) {
	t.Parallel()
	url := simulate(t, vllmsim.Config{})
	server := "vllmbench.server({url: '" + url + "'});\n"
	for _, c := range []struct {
		name, script, says string
		env                []string
	}{
		{name: "no server", script: "export default () => vllmbench.generate({prompt: 1, output: 1})", says: "no server is named: call server("},
		{name: "unknown name", script: "vllmbench.server({ulr: 'x'}); export default () => {}", says: `server(): json: unknown field \"ulr\"`},
		{name: "two servers", script: server + "vllmbench.server({url: 'http://other'}); export default () => {}", says: "a process measures one server"},
		{name: "no length", script: server + "export default () => vllmbench.generate({prompt: 10})", says: "prompt is 10 and output 0 tokens: ask for 1 or more of each"},
		{name: "in setup", script: server + "export function setup() { vllmbench.generate({prompt: 1, output: 1}) }; export default () => {}", says: "generate() belongs into an iteration"},
		{name: "while read", script: server + "vllmbench.info(); export default () => {}", says: "info() belongs into setup() or an iteration"},
		{name: "late server", script: "export default () => vllmbench.server({url: 'x'})", says: "server() belongs outside of functions"},
		{name: "no argument", script: server + "export default () => vllmbench.generate()", says: "generate() takes an object"},
		{name: "endpoint", script: "vllmbench.server({url: '" + url + "', endpoint: 'embeddings'}); export default () => vllmbench.info()", says: `endpoint is \"embeddings\": say completions or chat`},
		{name: "objective", script: "vllmbench.server({url: '" + url + "', slo: 'fast'}); export default () => vllmbench.info()", says: `slo: the objective \"fast\" is not of the form`},
		{name: "priority", script: "vllmbench.server({url: '" + url + "', priority: 'high'}); export default () => vllmbench.info()", says: `priority is \"high\": say on or off`},
		{name: "chat without texts", script: "vllmbench.server({url: '" + url + "', endpoint: 'chat'}); export default () => vllmbench.info()", says: "name a folder of them"},
		{name: "nothing records", script: server + "export default () => vllmbench.generate({prompt: 1, output: 1})", env: []string{"VLLMBENCH_RECORD=x"}, says: "VLLMBENCH_RECORD is set, but nothing records: add --out vllmbench"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			printed, _ := k6(t, c.env, script(t, c.script))
			assert.Contains(t, printed, c.says)
		})
	}
}

// TestOutputRefuses: what cannot be recorded ends the run before it begins.
func TestOutputRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "instance-1"), 0o777))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "instance-1", "thesis.txt"), nil, 0o666))
	printed, code := k6(t, nil, "--out", "vllmbench="+dir, "-e", "URL="+simulate(t, vllmsim.Config{}), "scripts/closed.js")
	assert.NotZero(t, code)
	assert.Contains(t, printed, "it holds thesis.txt, which is no file of a run")

	printed, code = k6(t, nil, "--execution-segment", "1/4:1", "--out", "vllmbench="+dir, "scripts/closed.js")
	assert.NotZero(t, code)
	assert.Contains(t, printed, "the segment 1/4:1 is not one of equal ones: name this instance by VLLMBENCH_INSTANCE")
}

// TestKilled: the record of an instance that died says what it was and what the server had counted before it.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := command(t, []string{"VLLMBENCH_RECORD=" + dir, "VLLMBENCH_INSTANCE=pod-7"}, "--out", "vllmbench", "-e", "URL="+simulate(t, vllmsim.Config{}), "-e", "DURATION=1h", "scripts/closed.js")
	require.NoError(t, c.Start())
	defer c.Wait()
	defer c.Process.Kill()
	path := filepath.Join(dir, "pod-7", "run.jsonl")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(path)
		return err == nil && len(text) > 0 && text[len(text)-1] == '\n'
	}, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, c.Process.Kill())
	_ = c.Wait()
	run, _ := record(t, filepath.Join(dir, "pod-7"))
	assert.False(t, run.Complete)
	assert.Empty(t, run.Rows)
	require.NotNil(t, run.Header.Instance)
	assert.Equal(t, "pod-7", run.Header.Instance.Name)
	assert.NotNil(t, run.Header.Instance.Before)
	assert.Nil(t, run.Header.Instance.After)
}
