package compare

import (
	"fmt"
	"slices"
	"strings"

	"vllmbench/internal/results"
)

// Kinds of refusals, which Config.Allow lifts.
var kinds = []string{"model", "gpu", "server", "workload", "lengths"}

// Kinds lists the kinds of refusals.
func Kinds() []string { return slices.Clone(kinds) }

// An Incomparable says why two runs cannot be compared.
type Incomparable struct {
	Reasons []string // a sentence each, with the kind that allows it
}

func (i *Incomparable) Error() string { return strings.Join(i.Reasons, "; ") }

// refuse returns an *Incomparable unless what differs may be compared. What
// is allowed is kept as a warning, and so is what makes a comparison doubtful.
func (r *Report) refuse(p *pair, allow []string) error {
	var refused Incomparable
	refuse := func(kind, reason string) {
		if slices.Contains(allow, kind) {
			r.Warnings = append(r.Warnings, reason)
			if !slices.Contains(r.Allowed, kind) {
				r.Allowed = append(r.Allowed, kind)
			}
			return
		}
		refused.Reasons = append(refused.Reasons, fmt.Sprintf("%s: compare runs of one, or give -allow %s", reason, kind))
	}
	for _, d := range r.Differences {
		if kind := refusal(d); kind != "" {
			if kind == "server" {
				refuse(kind, "one run is of a simulated server and the other is not")
				continue
			}
			refuse(kind, fmt.Sprintf("the runs differ in %s %s (%s and %s)", d.Group, d.Name, d.Old, d.New))
		}
		if d.Name == "stamps" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the stamps are not of one source (%s and %s): latencies differ by the client's own delays", d.Old, d.New))
		}
		if d.Group == results.FactGPU && strings.HasPrefix(d.Name, results.FactCard) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("the GPUs are two cards of one kind (%s and %s): of two H200 under the same server one was seen to be 2 %% slower", d.Old, d.New))
		}
	}
	for _, name := range p.old.benchmarks {
		a, b := p.old.cells[name], p.new.cells[name]
		if b.Name != "" && a.PromptTokens*b.PromptTokens > 0 && (a.PromptTokens != b.PromptTokens || a.OutputTokens != b.OutputTokens) {
			refuse("lengths", fmt.Sprintf("%s has requests of %d+%d tokens in one run and of %d+%d in the other (prompt+output)", name, a.PromptTokens, a.OutputTokens, b.PromptTokens, b.OutputTokens))
		}
	}
	for _, d := range r.OnlyOne {
		if kind := refusal(d); kind != "" {
			r.Warnings = append(r.Warnings, fmt.Sprintf("only one of the runs tells its %s %s (%s%s): whether they can be compared is yours to know", d.Group, d.Name, d.Old, d.New))
		}
	}
	if len(refused.Reasons) > 0 {
		return &refused
	}
	return nil
}

// refusal is the kind of refusal that a difference is, or "" if it is what one may well compare.
func refusal(d results.Difference) string {
	switch {
	case d.Group == results.FactModel:
		return "model"
	case d.Group == results.FactGPU && strings.HasPrefix(d.Name, "device"):
		return "gpu"
	case d.Group == results.FactServer && d.Name == "simulated":
		return "server"
	case d.Group == results.FactWorkload && d.Name != "prompt" && d.Name != "output":
		return "workload"
	}
	return ""
}
