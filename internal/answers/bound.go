package answers

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/measure"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
)

// What bounds a step.
const (
	byMemory  = "memory"
	byCompute = "compute"
	byNeither = "neither"
)

// boundShare is the activity, in percent, from which a unit can be what the
// others wait for. One that rests for more than half of the time is not.
// Loads that one unit bounds alone reach 79 % of DRAM and 93 % of the tensor
// cores on an H200.
const boundShare = 50

// mostBatch is beyond any batch, and keeps a damaged record from being computed.
const mostBatch = 1 << 16

// A decoding is what is known of the decode steps of one cell.
type decoding struct {
	measure.Cell
	dram, tensor, sm Estimate // percent
	itl, floor       Estimate // ns; percent of ITL
	work             roofline.Work
	roofline, gpm    string // what bounds it by either; "": unknown
}

func bound(v *view, _ *Summary) Answer {
	a := Answer{ID: "bound", Question: "Is decode bound by memory or by compute?", Status: NotEnough}
	cells := v.decodings()
	var texts []string
	for _, d := range cells {
		if text := v.boundOf(&d); text != "" {
			texts = append(texts, text)
			a.Evidence = append(a.Evidence, v.boundEvidence(&d)...)
		}
	}
	if len(texts) == 0 {
		a.Text = v.noGPU("gpu-dram-%", "What the GPU's units do is unknown") + " The roofline alone needs the model's shape (-model-config=FILE) and the GPU's name."
		return a
	}
	a.Status = Answered
	a.Text = strings.Join(texts, " ")
	if text := v.prefillBound(); text != "" {
		a.Text += " " + text
	}
	return a
}

// decodings are the cells of the smallest and the largest batch, of those that
// the server decodes at once: beyond max-num-seqs its steps grow no larger.
func (v *view) decodings() []decoding {
	var cells []measure.Cell
	for _, experiment := range []string{throughput, latency, seqlen} {
		for _, l := range Levels(v.run, experiment, "tok/s") {
			valid := slices.ContainsFunc(v.rows, func(r *results.Row) bool { return r.Measured.Cell == l.Cell })
			if seqs := v.sequences(); valid && (len(cells) == 0 || seqs == 0 || l.Cell.Batch <= seqs) {
				cells = append(cells, l.Cell)
			}
		}
		if len(cells) > 0 {
			break
		}
	}
	if len(cells) == 0 {
		return nil
	}
	smallest, largest := cells[0], cells[len(cells)-1]
	out := []decoding{v.decoding(smallest)}
	if largest.Batch > smallest.Batch {
		out = append(out, v.decoding(largest))
		v.floorsOnly(out)
	}
	return out
}

func (v *view) decoding(cell measure.Cell) decoding {
	at := func(metric string) Estimate { return v.cell(cell, metric) }
	d := decoding{Cell: cell, dram: at("gpu-dram-%"), tensor: at("gpu-tensor-%"), sm: at("gpu-sm-%"), itl: at("mean-itl-ns"), floor: at("decode-floor-%")}
	if d.itl.N == 0 {
		d.itl = at("p50-itl-ns")
	}
	if v.model != nil && cell.Batch > 0 && cell.Batch < mostBatch {
		d.work = v.model.Decode(cell.Batch, cell.PromptTokens+cell.OutputTokens/2)
		if v.peaks != nil {
			d.roofline = d.work.Bound(*v.peaks)
			if d.floor.N == 0 && d.itl.N > 0 {
				d.floor = d.itl.under(100 * float64(d.work.Floor(*v.peaks)))
			}
		}
	}
	if d.dram.N > 0 && d.tensor.N > 0 {
		switch {
		case max(d.dram.Value, d.tensor.Value) < boundShare:
			d.gpm = byNeither
		case d.dram.Value >= d.tensor.Value:
			d.gpm = byMemory
		default:
			d.gpm = byCompute
		}
	}
	return d
}

// floorsOnly tells the bound from the recorded floors where model or peaks are
// not in the record: operations grow with the batch, the bytes of the weights
// do not. If the floor grows by less than a quarter as much as the batch, it
// is one of bytes at both ends; between, nothing is said.
func (v *view) floorsOnly(d []decoding) {
	first, last := &d[0], &d[1]
	if first.roofline != "" || first.floor.N == 0 || last.floor.N == 0 || first.itl.N == 0 || last.itl.N == 0 {
		return
	}
	grows := last.floor.Value * last.itl.Value / (first.floor.Value * first.itl.Value)
	if grows < float64(last.Batch)/float64(first.Batch)/4 {
		first.roofline, last.roofline = byMemory, byMemory
	}
}

// boundOf says what bounds one cell, by the roofline and by the counters, and whether they agree.
func (v *view) boundOf(d *decoding) string {
	var b strings.Builder
	says := cmp.Or(d.gpm, d.roofline)
	switch {
	case says == "":
		return ""
	case says == byNeither:
		fmt.Fprintf(&b, "At batch %d decode is bound by neither: the GPU waits for launches or for the host", d.Batch)
	case d.gpm != "" && d.roofline != "" && d.gpm != d.roofline:
		fmt.Fprintf(&b, "At batch %d the counters say that %s bounds decode and the roofline says %s: they do not agree", d.Batch, d.gpm, d.roofline)
	case d.gpm == "":
		fmt.Fprintf(&b, "At batch %d the roofline says that %s bounds decode", d.Batch, says)
	default:
		fmt.Fprintf(&b, "At batch %d decode is bound by %s", d.Batch, says)
	}
	if d.gpm != "" {
		fmt.Fprintf(&b, ": DRAM bandwidth is used at %s, the tensor cores at %s", d.dram.text("%"), d.tensor.text("%"))
	}
	if d.gpm == d.roofline {
		b.WriteString(", and the roofline says the same")
	} else if d.gpm == byNeither && d.roofline != "" {
		fmt.Fprintf(&b, ", while on an ideal GPU %s would", d.roofline)
	}
	if d.floor.N > 0 {
		fmt.Fprintf(&b, "; the least time of a step is %s of its actual one", d.floor.text("%"))
	}
	return b.String() + "."
}

func (v *view) boundEvidence(d *decoding) (lines []string) {
	if d.work.Bytes > 0 {
		line := fmt.Sprintf("batch %d: %s operations a byte of device memory", d.Batch, number(d.work.Intensity()))
		if v.peaks != nil {
			line += fmt.Sprintf("; from %s on compute would bound %s", number(v.peaks.FLOPS/v.peaks.Bandwidth), clean(v.peaks.Name))
		}
		lines = append(lines, line)
	} else if d.roofline != "" {
		lines = append(lines, fmt.Sprintf("batch %d: the recorded floor grows far less than the batch, as bytes do and operations do not", d.Batch))
	}
	if d.sm.N > 0 {
		lines = append(lines, fmt.Sprintf("batch %d: SM activity %s", d.Batch, d.sm.text("%")))
	}
	if d.gpm == "" {
		lines = append(lines, fmt.Sprintf("batch %d: no counter of the GPU's units is there to agree or not", d.Batch))
	} else if d.roofline == "" {
		lines = append(lines, fmt.Sprintf("batch %d: the roofline is unknown, for want of the model's shape (-model-config=FILE) or of the GPU's peaks", d.Batch))
	}
	return lines
}

// prefillBound is of the longest prompt. The GPU's counters are means over
// windows that are mostly decode, so the roofline speaks alone.
func (v *view) prefillBound() string {
	var longest measure.Cell
	for _, l := range Levels(v.run, seqlen, "prefill-floor-%") {
		if l.N > 0 && l.Cell.PromptTokens > longest.PromptTokens {
			longest = l.Cell
		}
	}
	if longest.PromptTokens == 0 {
		return ""
	}
	floor := v.mean(seqlen, "prefill-floor-%", func(r *measure.Row) bool { return r.PromptTokens == longest.PromptTokens })
	text := fmt.Sprintf("Prefill of %d tokens needs at least %s of the time that the server takes for it", longest.PromptTokens, floor.text("%"))
	if v.model != nil && v.peaks != nil {
		text += fmt.Sprintf(", and %s bounds it by the roofline", v.model.Prefill(longest.PromptTokens).Bound(*v.peaks))
	}
	return text + "; windows are mostly decode, so no counter shows prefill alone."
}
