package measure

import (
	"strings"

	"vllmbench/internal/roofline"
)

// A Floor is what bounds a run from below: the model, and the GPUs as one.
type Floor struct {
	Model roofline.Model
	GPU   roofline.GPU
}

// floorMetrics say how near the measured times come to what model and GPU allow.
var floorMetrics = []Metric{
	{"decode-floor-%", "higher", false, "the least time of a decode step of this batch at half its output, by roofline, as a share of the mean ITL"},
	{"prefill-floor-%", "higher", false, "the least time of the prompt's prefill, by roofline, as a share of the server's mean prefill time; of one request at a time"},
}

// floor puts the shares. A share above 100 % is impossible: then the times
// are not of that model on these GPUs, and no share is given.
func (r *Run) floor(t *table, s *sight) {
	if r.Floor == nil || r.Open() || r.Think > 0 { // whose batch is not known
		return
	}
	put := func(metric string, floor, measured float64, n int) {
		if measured > 0 {
			t.put(metric, 100*floor/measured, n)
		}
	}
	m, gpu := r.Floor.Model, r.Floor.GPU
	decode := roofline.DecodeFloor(m, gpu, r.Batch, r.PromptTokens+r.OutputTokens/2)
	put("decode-floor-%", float64(decode), s.itl.mean(), len(s.itl))
	if prefill, ok := r.Server.Prefill.Mean(); ok && r.Batch == 1 && r.Prefix == nil { // else a part of it is no work
		put("prefill-floor-%", float64(roofline.PrefillFloor(m, gpu, r.PromptTokens)), prefill*1e9, int(r.Server.Prefill.Count))
	}
}

// floorFaults finds shares that cannot be.
func (r *Run) floorFaults(s *sight) []fault {
	if r.Floor == nil || r.Open() || r.Think > 0 || len(s.itl) == 0 {
		return nil
	}
	least := roofline.DecodeFloor(r.Floor.Model, r.Floor.GPU, r.Batch, r.PromptTokens)
	if s.itl.mean() >= float64(least) {
		return nil
	}
	reason := "tokens came faster than " + r.Floor.Model.Name + " can decode on " + r.Floor.GPU.Name + ": the model or the GPU is another one"
	return []fault{{ruleRoofline, reason}}
}

func ofFloor(metric string) bool { return strings.HasSuffix(metric, "-floor-%") }
