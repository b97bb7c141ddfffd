package results

import (
	"time"

	"vllmbench/internal/measure"
)

// A Merged says of which instances' records a run was made.
type Merged struct {
	Instances []Part `json:"instances"`
	Hosts     int    `json:"hosts"` // on which they ran; 0: unknown
	// ClockError is by how much the clocks of two of them may differ; nil: not known.
	ClockError *time.Duration `json:"clock_error_ns,omitempty"`
	Notes      []string       `json:"notes,omitempty"` // how it was made
	// Lost says what of the load is not in the run, a sentence each. A reader has them as warnings.
	Lost []string `json:"lost,omitempty"`
	// Ledger is what all requests of all rows report against what the server counted.
	Ledger []measure.Account `json:"ledger,omitempty"`
}

// A Part is one instance's record.
type Part struct {
	Instance    string        `json:"instance"` // its name
	Segment     string        `json:"segment,omitempty"`
	Environment Environment   `json:"environment"`
	Stamps      string        `json:"stamps"`
	Shift       time.Duration `json:"shift_ns"`       // from its clock to the merged run's
	Rows        []measure.Row `json:"rows,omitempty"` // as it measured them alone, on its own clock
}
