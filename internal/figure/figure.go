// Package figure makes the figures of a report from runs and their answers.
//
// A Figure is data: the pictures (SVG, PNG) and the page draw the same one, so
// that they cannot disagree. What is void is in it, with its reason, and takes
// part in no axis range and no line.
package figure

// A Figure answers one question.
type Figure struct {
	ID     string   `json:"id"`               // also the name of its picture: "throughput"; lower-case letters, digits and "-"
	Group  string   `json:"group,omitempty"`  // figures of one group are alternatives, of which a reader chooses: the ECDFs of each cell
	Choice string   `json:"choice,omitempty"` // what this one is called in its group: "Throughput/batch=8"
	Title  string   `json:"title"`            // the question, or what is shown
	Better string   `json:"better,omitempty"` // "higher" or "lower"
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Lines  []Line   `json:"lines"`
	Bands  []Band   `json:"bands,omitempty"`
	Marks  []Mark   `json:"marks,omitempty"`
	Limits []Limit  `json:"limits,omitempty"`
	Notes  []string `json:"notes,omitempty"` // what is not in the picture, and why; what the bars are
}

// Scales of axes.
const (
	Linear = "linear"
	Log2   = "log2"
	Log10  = "log10"
)

// An Axis is one of a figure's two.
type Axis struct {
	Label string    `json:"label"`           // with the unit: "TTFT (ms)"
	Scale string    `json:"scale"`           // Linear, Log2 or Log10
	Ticks []float64 `json:"ticks,omitempty"` // none: the drawer chooses round ones
	// Min and Max are its range, into which no void point enters; both 0: the drawer chooses.
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Roles of lines, which decide how they look.
const (
	Data   = "data"   // measured
	Server = "server" // the server's own number for the same
	Fit    = "fit"    // fitted to the data
	Ideal  = "ideal"  // what perfect scaling would give
	Floor  = "floor"  // what the hardware allows at best
	Step   = "step"   // measured, drawn as steps: an ECDF, a timeline
	Probe  = "probe"  // measured once each, points that are not joined
)

// A Line is points in the order of what was set, never of what came out.
type Line struct {
	Run    int     `json:"run"` // index of the run, which has one colour everywhere; -1 for none
	Role   string  `json:"role"`
	Label  string  `json:"label"` // written at the line's end
	Points []Point `json:"points"`
}

// A Point is one level of one run.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"` // of a void point 0, which means nothing
	// Low and High are a 95 % interval over repetitions; nil if there are too few for one.
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
	N     int      `json:"n,omitempty"`     // repetitions behind it
	Label string   `json:"label,omitempty"` // the level, where the axis does not show it: "batch 8"
	Void  string   `json:"void,omitempty"`  // why it proves nothing; empty if it does
}

// Kinds of bands.
const (
	Window    = "window"    // the window of a row
	Void      = "void"      // the window of a void row
	Idle      = "idle"      // the GPUs did nothing
	Throttled = "throttled" // a GPU ran below its clock
)

// A Band is an interval of x.
type Band struct {
	From  float64 `json:"from"`
	To    float64 `json:"to"`
	Kind  string  `json:"kind"`
	Label string  `json:"label"`
	Run   int     `json:"run"`
}

// A Mark is a place on x, with its interval if it is an estimate.
type Mark struct {
	X     float64  `json:"x"`
	Low   *float64 `json:"low,omitempty"`
	High  *float64 `json:"high,omitempty"`
	Label string   `json:"label"`
	Run   int      `json:"run"`
}

// A Limit is a place on y that something is held to.
type Limit struct {
	Y     float64 `json:"y"`
	Label string  `json:"label"`
}
