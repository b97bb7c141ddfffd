package bench

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"vllmbench/internal/answers"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
	"vllmbench/internal/vllmsim"
)

// answered measures an embedded server as a user would, and returns what its record says.
func answered(t *testing.T, config vllmsim.Config, args ...string) answers.Summary {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	args = append([]string{"-url=" + simulate(t, config), "-record=" + dir, "-warmup=0", busyClient}, args...)
	c := runChild(t, args...)
	require.Zero(t, c.status(), c.all())
	run, err := results.Load(dir)
	require.NoError(t, err)
	defer run.Close()
	s := answers.Of(run)
	for _, a := range s.Answers {
		if a.Status == answers.Answered {
			t.Log(a.Text)
		}
	}
	return s
}

func answerText(t *testing.T, s answers.Summary, id string) string {
	t.Helper()
	for _, a := range s.Answers {
		if a.ID == id {
			return a.Text
		}
	}
	require.Fail(t, "no answer "+id)
	return ""
}

// TestAnswerKnee: a server that runs 4 requests at once has its knee there. Its
// steps are long, so that what a busy machine adds to them is little.
func TestAnswerKnee(t *testing.T) {
	t.Parallel()
	config := vllmsim.Config{MaxNumSeqs: 4, NoAsyncScheduling: true, Timing: vllmsim.Timing{Step: 20 * time.Millisecond}}
	s := answered(t, config, "-test.bench=Throughput", "-batches=1,2,4,8,16", "-prompt=10", "-output=6", "-test.count=3", "-test.benchtime=1x")
	require.NotNil(t, s.Knee)
	require.True(t, s.Knee.Found)
	assert.InDelta(t, math.Log2(4), math.Log2(s.Knee.Batch.Value), 1, "more than one batch step off")
	assert.Contains(t, answerText(t, s, "scaling"), "the server runs 4 sequences at once (max-num-seqs=4)")
	assert.Contains(t, answerText(t, s, "limit"), "At batch 16: max-num-seqs=4 is exceeded")
}

// What the embedded server reaches of the roofline and what it adds to a step:
// the constants of its step time.
const (
	simBandwidth, simCompute = 0.786, 0.66
	simOverhead              = 540 * time.Microsecond
)

// TestAnswerTokens: what tokens cost is what the server's step time makes of
// them. Prompts are long enough for compute to bound prefill, so that it is a line,
// and the GPU is slow enough for what a busy machine adds to be little.
func TestAnswerTokens(t *testing.T) {
	t.Parallel()
	s := answered(t, vllmsim.Config{GPU: "L4"}, "-test.bench=SeqLen", "-prompts=500,1000,2000", "-outputs=3,11", "-test.count=3")
	require.NotNil(t, s.Prefill)
	require.NotNil(t, s.Decode)

	model, err := roofline.FindModel("Qwen2.5-7B")
	require.NoError(t, err)
	gpu, err := roofline.FindGPU("L4")
	require.NoError(t, err)
	gpu = gpu.Derated(simBandwidth, simCompute)
	var prompts, ttft, weights []float64
	var token time.Duration
	for _, p := range []int{500, 1000, 2000} {
		first := simOverhead + roofline.PrefillFloor(model, gpu, p)
		prompts, ttft, weights = append(prompts, float64(p)), append(ttft, float64(first)), append(weights, 1/float64(first*first/1e6))
		token += roofline.DecodeFloor(model, gpu, 1, p+7) / 3 // the next step is scheduled while one runs
	}
	_, prompt := stat.LinearRegression(prompts, ttft, weights, false)
	t.Logf("by its step time a prompt token costs %.4g ns, an output token %v", prompt, token)
	assert.InEpsilon(t, prompt, s.Prefill.B.Value, 0.05)
	assert.InEpsilon(t, float64(token), s.Decode.B.Value, 0.05)
	assert.Contains(t, answerText(t, s, "output"), "they agree")
}

// TestAnswerBound: a 7B decodes bound by memory alone, and by compute with 256 others.
func TestAnswerBound(t *testing.T) {
	t.Parallel()
	s := answered(t, vllmsim.Config{}, "-test.bench=Throughput", "-gpu=auto", "-batches=1,256", "-prompt=10", "-output=60", "-test.benchtime=2x")
	text := answerText(t, s, "bound")
	assert.Contains(t, text, "At batch 1 decode is bound by memory")
	assert.Contains(t, text, "At batch 256 decode is bound by compute")
}
