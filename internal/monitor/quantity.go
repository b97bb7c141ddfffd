package monitor

// A quantity is one number that the monitor follows.
type quantity int

// The quantities, in the order in which they are shown.
const (
	dram quantity = iota
	smActive
	tensor
	busy
	utilization
	power
	memory
	smClock
	memoryClock
	temperature
	throttled
	pcieTX
	pcieRX

	running
	waiting
	kvUse
	outTokens
	inTokens
	requests
	ttft
	itl
	e2e
	queue
	prefill
	decode
	prefixHits
	preemptions
	quantities // their number
)

const firstServer = running

// A column says how a quantity is shown. Shown is its SI value times scale.
type column struct {
	name  string // on the screen
	short string // heading in lines and CSV; dmon's name where dmon has the quantity
	unit  string
	scale float64
	full  float64 // top of the history's scale, as shown; 0: the highest value
	rank  int     // which go first where there is little room; 0: on a page of its own only
	count bool    // comes in whole numbers
	level bool    // usually stands still
}

const (
	percent = 100
	milli   = 1e3
)

// columns is a table that nothing changes.
var columns = [quantities]column{
	dram:        {name: "DRAM active", short: "dram", unit: "%", scale: percent, full: 100, rank: 7},
	smActive:    {name: "SM active", short: "smact", unit: "%", scale: percent, full: 100, rank: 13},
	tensor:      {name: "tensor active", short: "tensor", unit: "%", scale: percent, full: 100, rank: 17},
	busy:        {name: "any work", short: "busy", unit: "%", scale: percent, full: 100, rank: 20},
	utilization: {name: "utilisation", short: "sm", unit: "%", scale: percent, full: 100},
	power:       {name: "power", short: "pwr", unit: "W", scale: 1, rank: 8},
	memory:      {name: "memory used", short: "fb", unit: "GB", scale: 1e-9, rank: 10, level: true},
	smClock:     {name: "SM clock", short: "pclk", unit: "MHz", scale: 1e-6, rank: 9, level: true},
	memoryClock: {name: "memory clock", short: "mclk", unit: "MHz", scale: 1e-6, level: true},
	temperature: {name: "temperature", short: "gtemp", unit: "C", scale: 1, rank: 18, level: true},
	throttled:   {name: "throttled", short: "thr", unit: "%", scale: percent, full: 100, rank: 14},
	pcieTX:      {name: "PCIe sent", short: "txpci", unit: "MB/s", scale: 1e-6},
	pcieRX:      {name: "PCIe received", short: "rxpci", unit: "MB/s", scale: 1e-6},

	running:     {name: "running", short: "run", unit: "req", scale: 1, rank: 1, count: true},
	waiting:     {name: "waiting", short: "wait", unit: "req", scale: 1, rank: 2, count: true},
	kvUse:       {name: "KV cache use", short: "kv", unit: "%", scale: percent, full: 100, rank: 6},
	outTokens:   {name: "output", short: "out", unit: "tok/s", scale: 1, rank: 3},
	inTokens:    {name: "prompts", short: "in", unit: "tok/s", scale: 1, rank: 12},
	requests:    {name: "finished", short: "done", unit: "req/s", scale: 1, rank: 19},
	ttft:        {name: "TTFT mean", short: "ttft", unit: "ms", scale: milli, rank: 4},
	itl:         {name: "ITL mean", short: "itl", unit: "ms", scale: milli, rank: 5},
	e2e:         {name: "E2E mean", short: "e2e", unit: "ms", scale: milli, rank: 21},
	queue:       {name: "queue mean", short: "queue", unit: "ms", scale: milli, rank: 11},
	prefill:     {name: "prefill mean", short: "prefill", unit: "ms", scale: milli, rank: 22},
	decode:      {name: "decode mean", short: "decode", unit: "ms", scale: milli, rank: 23},
	prefixHits:  {name: "prefix hits", short: "hit", unit: "%", scale: percent, full: 100, rank: 16},
	preemptions: {name: "preemptions", short: "preempt", unit: "/s", scale: 1, rank: 15},
}

// A cell is one quantity in one round. Its Weight makes means over rounds
// exact: seconds for a rate, what was counted for a mean of a histogram.
type cell struct {
	n, weight float64
	offered   bool // the server or GPU has this quantity
	known     bool // there is a number for this round
}

func (q quantity) shown(n float64) float64 { return n * columns[q].scale }

func (q quantity) onGPU() bool { return q < firstServer }

// A stat gathers a quantity's cells. Its zero value has none.
type stat struct {
	min, max    float64
	sum, weight float64
}

func (s *stat) add(c cell) {
	if !c.known || c.weight <= 0 {
		return
	}
	if s.weight == 0 {
		s.min, s.max = c.n, c.n
	}
	s.min, s.max = min(s.min, c.n), max(s.max, c.n)
	s.sum += c.n * c.weight
	s.weight += c.weight
}

func (s stat) known() bool { return s.weight > 0 }

func (s stat) mean() float64 { return s.sum / s.weight }
