package report

import (
	"slices"

	"vllmbench/internal/answers"
)

// A question is one of the report's, with what each run says to it.
type question struct {
	ID, Question, Figure string
	Said                 []said
}

// A said is one run's answer: its first sentence, and the others.
type said struct {
	Run      int // index
	Status   string
	Lead     emphasis
	More     string
	Evidence []string
}

// foldFrom is how many runs are answered for in sight; the others are folded away.
const foldFrom = 4

// Shown are the answers in sight.
func (q question) Shown() []said { return q.Said[:min(foldFrom, len(q.Said))] }

// Folded are the others.
func (q question) Folded() []said { return q.Said[min(foldFrom, len(q.Said)):] }

// More says whether there is anything behind the first sentences.
func (q question) More() bool {
	return slices.ContainsFunc(q.Said, func(s said) bool { return s.More != "" || len(s.Evidence) > 0 })
}

// A warning is one that some runs share.
type warning struct {
	Runs []string
	answers.Warning
}

// questions gathers the answers by question, in the order of the first run's.
func questions(summaries []answers.Summary) (out []question) {
	for run, s := range summaries {
		for _, a := range s.Answers {
			i := slices.IndexFunc(out, func(q question) bool { return q.ID == a.ID })
			if i < 0 {
				i = len(out)
				out = append(out, question{ID: a.ID, Question: a.Question})
			}
			if out[i].Figure == "" {
				out[i].Figure = a.Figure
			}
			first, rest := Sentence(Clean(a.Text))
			out[i].Said = append(out[i].Said, said{run, a.Status, lead(a.Status, first), rest, a.Evidence})
		}
	}
	return out
}

// lead is the first sentence of an answer. What is not known has no number to look at.
func lead(status, sentence string) emphasis {
	if status != answers.Answered {
		return emphasis{Before: sentence}
	}
	return emphasise(sentence)
}

// warnings gathers equal warnings of several runs.
func warnings(summaries []answers.Summary) (out []warning) {
	for _, s := range summaries {
		for _, w := range s.Warnings {
			i := slices.IndexFunc(out, func(have warning) bool { return have.Warning == w })
			if i < 0 {
				i = len(out)
				out = append(out, warning{Warning: w})
			}
			out[i].Runs = append(out[i].Runs, s.Run)
		}
	}
	return out
}
