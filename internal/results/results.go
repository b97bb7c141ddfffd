// Package results keeps a run in a folder.
//
// A run is appended and synced row by row, so that a killed one loses at most
// the row in progress, and it takes the place of an older run only after it
// ended well: until then it is written beside it. docs/results.md describes
// every file and field.
package results

import (
	"encoding/json"
	"time"

	"vllmbench/internal/measure"
	"vllmbench/internal/roofline"
)

// SchemaVersion is the version of the files that this package writes. It
// grows when a reader of the version before would misread them; a new field
// alone does not make it grow.
const SchemaVersion = 1

const (
	runFile      = "run.jsonl"
	requestsFile = "requests.jsonl.gz"
)

// A Header says what was run, where and against what. Create fills in the
// fields whose zero value says so.
type Header struct {
	SchemaVersion int       `json:"schema_version"` // set by Create
	Run           string    `json:"run"`            // zero: the base name of the folder
	Started       time.Time `json:"started"`        // zero: now
	// Epoch is the wall-clock time of the client's epoch, from which the times
	// of rows and requests count. Zero: Started.
	Epoch       time.Time         `json:"epoch"`
	Nonce       string            `json:"nonce"` // what makes the run's prompts its own
	Environment Environment       `json:"environment"`
	Server      json.RawMessage   `json:"server,omitempty"`     // what the server says of itself, a JSON value
	Flags       map[string]string `json:"flags,omitempty"`      // of the harness; the caller keeps the API key out
	Stamps      string            `json:"stamps"`               // "kernel" or "user": where the times of tokens come from
	Simulated   bool              `json:"simulated"`            // the server is the embedded one
	Devices     []Device          `json:"gpus,omitempty"`       // the GPUs that were watched
	IdlePower   float64           `json:"gpu_idle_W,omitempty"` // of all of them at rest, watts; 0: unknown
	// Model and Peaks are what the roofline knows of the model and of the GPUs
	// together; nil if it does not know them.
	Model *roofline.Model `json:"roofline_model,omitempty"`
	Peaks *roofline.GPU   `json:"roofline_gpu,omitempty"`
	// Instance is set where the run is the part of one of several processes, Merged where it is their sum.
	Instance *Instance `json:"instance,omitempty"`
	Merged   *Merged   `json:"merged,omitempty"`
}

// An Environment is the machine and the program that sent the requests.
// Create fills in every zero field as far as the system tells.
type Environment struct {
	OS     string `json:"os"`   // as GOOS
	Arch   string `json:"arch"` // as GOARCH
	CPU    string `json:"cpu"`  // the processor's model
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`          // the system's name and release
	Go     string `json:"go"`              // Go's version
	Commit string `json:"commit"`          // of the harness, "+dirty" if it was changed; empty if the build does not tell
	Procs  int    `json:"procs,omitempty"` // processors that the process may use
	Boot   string `json:"boot,omitempty"`  // of the kernel's start, so that processes with the same one share a clock; empty: unknown
}

// A Row is a saved row.
type Row struct {
	Start      time.Time   `json:"start"`      // wall-clock time at which its window began
	Repetition int         `json:"repetition"` // 1 for a cell's first row in the run, then 2, 3, ...
	Requests   Span        `json:"requests"`
	Measured   measure.Row `json:"measured"`
}

// A Span is the part of requests.jsonl.gz that holds the requests of a row: one gzip member.
type Span struct {
	Offset int64 `json:"offset"` // bytes from the file's start
	Bytes  int64 `json:"bytes"`
	Count  int   `json:"count"` // requests
}

// An End is how a run ended.
type End struct {
	At time.Time `json:"at"`
	OK bool      `json:"ok"` // false if the harness called the run failed
}

// A line is one line of run.jsonl. Exactly one field is set; a reader skips
// a line of which it knows none.
type line struct {
	Header *Header     `json:"header,omitempty"`
	GPU    []GPUSample `json:"gpu,omitempty"` // the samples since the line before with any
	Row    *Row        `json:"row,omitempty"`
	After  *Reading    `json:"after,omitempty"` // the header's Instance.After
	End    *End        `json:"end,omitempty"`
}
