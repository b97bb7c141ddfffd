package measure

import (
	"fmt"
	"slices"

	"vllmbench/gpuprobe"
)

// A Rule takes metrics out of a row.
type Rule struct {
	Name    string // as in LeftOut; a limit's, where it has one
	When    string // a clause
	touches func(metric string) bool
}

// Touches says whether the rule can take the metric out.
func (r *Rule) Touches(metric string) bool { return r.touches(metric) }

// A fault is a rule that applies to a row.
type fault struct {
	*Rule
	reason string // with the row's figures
}

var (
	ruleSamples    = &Rule{"samples", "fewer samples than bound the quantile: the limit tail says how many must lie beyond it", upperQuantile}
	ruleTurnaround = &Rule{limitTurnaround, "the client held its streams back between requests", throughputs}
	ruleShorter    = &Rule{limitTurnaround, "with several streams, the client held them back for more than half of that limit", e2es}
	rulePhase      = &Rule{limitPhase, "with several streams, the client held them back between requests for a share of the TTFT", phased}
	ruleGrowth     = &Rule{limitGrowth, "in an open loop, requests came faster than they were served, so that latencies depend on how long one watched", steadied}
	ruleLate       = &Rule{limitLate, fmt.Sprintf("in an open loop, the client sent requests late: of a latency for a share of it, of goodput for more than %g %% of the requests", 100*maxMisjudged), waits}
	ruleCPU        = &Rule{limitCPU, "the client used its processors up", throughputs}
	ruleEvents     = &Rule{"events", "events did not tell how many tokens they carry, for more tokens than the limit merged allows", gaps}
	ruleMerged     = &Rule{limitMerged, "events came under one stamp with the one before", gapQuantiles}
	ruleBlurred    = &Rule{limitMerged, "first tokens were read together with the second ones", firsts}
	ruleTail       = &Rule{"merged tail", fmt.Sprintf("merged stamps leave the quantile open by more than %g %%, however few they are", 100*maxBlur), gapQuantiles}
	ruleStamps     = &Rule{"stamps", fmt.Sprintf("over %g %% of the events came without a kernel stamp although kernel stamps are on", 100*maxUnstamped), gapQuantiles}
	ruleLag        = &Rule{limitLag, "stamps are the client's own, and it was late", gapQuantiles}
	ruleServer     = &Rule{"server", "the mean TTFT on the wire is below the server's own, which cannot be", ttfts}
	ruleHits       = &Rule{"hits", "prompts were made for the prefix cache, and the server neither counts what that finds nor tells cached tokens in usage", ofHits}
	ruleProcesses  = &Rule{"processes", "several processes answer for the server's counters, each with its own, so there is no ledger either", ofServer}
	ruleRoofline   = &Rule{"roofline", "tokens came faster than the model can be decoded on these GPUs", ofFloor}
	ruleOther      = &Rule{"another GPU", "the GPUs are not those that the server runs on", ofGPU}
	ruleStep       = &Rule{"energy step", fmt.Sprintf("the window is so short that the energy counter's step bounds the energy to no better than %g %%", 100*maxEnergyError), ofEnergy}
)

// troubleRules are what gpuprobe finds; a power cap is none, since it is usual
// at full load and part of what the GPU is.
var troubleRules = []*Rule{
	{gpuprobe.TroubleThrottled, "a GPU was slowed for heat, for its supply or for a neighbour", ofGPU},
	{gpuprobe.TroubleForeign, "another process used a GPU, or it is not known whose it is", ofGPU},
	{gpuprobe.TroubleMissing, "too few reads to trust the window", ofGPU},
	{gpuprobe.TroubleShort, "the window holds fewer than two reads", ofGPU},
	{gpuprobe.TroubleStale, "the exporter renews its figures less often than they are read", ofGPU},
	{gpuprobe.TroubleLost, "a GPU fell off the bus", ofGPU},
	{gpuprobe.TroubleErrors, "a GPU had Xid or uncorrected memory errors", ofGPU},
	{gpuprobe.TroubleMIG, "a GPU is split into instances", ofGPU},
	{gpuprobe.TroubleBackwards, "the energy counter went backwards", ofEnergy},
	{gpuprobe.TroubleEnergy, "the energy counter and the power tell different energies", ofEnergy},
}

// Rules are all rules that can take a metric out of a row.
func Rules() []*Rule {
	return slices.Concat([]*Rule{
		ruleSamples, ruleTurnaround, ruleShorter, rulePhase, ruleGrowth, ruleLate, ruleCPU, ruleEvents, ruleMerged, ruleTail, ruleBlurred, ruleStamps, ruleLag, ruleServer, ruleHits, ruleProcesses, ruleRoofline, ruleOther, ruleStep,
	}, troubleRules)
}

// troubleRule is the rule of a trouble; one that is not in the table touches all of the GPU.
func troubleRule(kind string) *Rule {
	for _, r := range troubleRules {
		if r.Name == kind {
			return r
		}
	}
	return &Rule{kind, "", ofGPU}
}
