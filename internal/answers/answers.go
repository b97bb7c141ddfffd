// Package answers says in words what a run shows, from its data alone.
//
// Every number stands with its interval over the repetitions and with what it
// rests on; where the data do not carry an answer, that is the answer.
package answers

import (
	"vllmbench/internal/measure"
	"vllmbench/internal/results"
)

// An Estimate is a number with its uncertainty.
type Estimate struct {
	Value float64 `json:"value"`
	// Low and High bound it at 95 % confidence; nil if there are too few repetitions.
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
	N    int      `json:"n"` // repetitions behind it
}

// A Level is one metric of one cell: the median over its valid repetitions.
type Level struct {
	Cell measure.Cell `json:"cell"`
	Estimate
	Void []string `json:"void,omitempty"` // reasons of its void rows; with N == 0 nothing is known of it
}

// A Line is y = A + B x, fitted to each repetition.
type Line struct {
	A      Estimate `json:"a"`      // in the unit of y
	B      Estimate `json:"b"`      // in the unit of y per unit of x
	Levels int      `json:"levels"` // different x behind it; two always lie on a line
	// Worst is the largest distance of a level from the line, as a share of
	// that level. Straight says that the levels' own spread explains it, or
	// that it is too small to matter.
	Worst    float64 `json:"worst"`
	Straight bool    `json:"straight"`
}

// A PromptLine is E2E (ns) over output tokens for prompts of one length.
type PromptLine struct {
	PromptTokens int `json:"prompt_tokens"`
	Line
}

// A Knee is the batch up to which throughput grows in proportion, fitted.
type Knee struct {
	// Batch is in requests in flight. If the knee was not found, it is the
	// largest batch that was measured, without an interval.
	Batch Estimate `json:"batch"`
	Found bool     `json:"found"` // false: no batch that was measured lies beyond it
	// Before and After are the exponents of throughput over batch on both
	// sides: 1 is perfect scaling, 0 none. If the knee was not found, Before is
	// that of all batches and After has no repetitions.
	Before Estimate `json:"before"`
	After  Estimate `json:"after"`
}

// Of answered, and what else can become of a question.
const (
	Answered  = "answered"
	NotEnough = "not enough data"
)

// An Answer is one question of the report's.
type Answer struct {
	ID       string   `json:"id"` // "scaling", "prompt", "output", "idle", "bound", "limit"; "rate", "queueing", "shared", "turns" where a run has their rows
	Question string   `json:"question"`
	Status   string   `json:"status"`             // Answered or NotEnough
	Text     string   `json:"text"`               // sentences, with the numbers and their uncertainty
	Evidence []string `json:"evidence,omitempty"` // what it rests on: cells, counts, other numbers that agree or not
	Figure   string   `json:"figure,omitempty"`   // ID of the figure that shows it
}

// A Warning is something to look at, and what to try.
type Warning struct {
	What     string `json:"what"`     // with the number
	Evidence string `json:"evidence"` // how it was found
	Try      string `json:"try"`      // names the flag
}

// A Summary is all that is said of one run.
type Summary struct {
	Run      string    `json:"run"` // its name
	Answers  []Answer  `json:"answers"`
	Warnings []Warning `json:"warnings,omitempty"`

	Knee           *Knee        `json:"knee,omitempty"`             // nil: not enough data
	Prefill        *Line        `json:"prefill,omitempty"`          // TTFT (ns) over prompt tokens
	Decode         *Line        `json:"decode,omitempty"`           // E2E (ns) over output tokens, the mean of the lines of all prompt lengths
	DecodeByPrompt []PromptLine `json:"decode_by_prompt,omitempty"` // in the order of the prompt length

	// The highest loads at which the SLO holds, with the intervals of their searches; nil: not known at both ends.
	Capacity      *Estimate `json:"capacity,omitempty"`       // arrivals a second
	CapacityBatch *Estimate `json:"capacity_batch,omitempty"` // requests in flight
}

// Of answers every question from one run. It reads values and the header, so
// that a run without requests or GPU samples has as many answers as it can.
func Of(run *results.Run) Summary {
	v := newView(run)
	s := Summary{Run: clean(run.Name)}
	for _, answer := range v.questions() {
		s.Answers = append(s.Answers, answer(v, &s))
	}
	s.Warnings = v.warnings()
	return s
}
