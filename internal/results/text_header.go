package results

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
)

var (
	serverLine   = regexp.MustCompile(`^url (\S+), version (\S+), context (\d+|unknown)`)
	gpuLine      = regexp.MustCompile(`^gpu (\d+): (.*)$`)
	driverPart   = regexp.MustCompile(`, driver ([^,]+)`)
	uuidPart     = regexp.MustCompile(`, card ([\w-]+)`)
	limitPart    = regexp.MustCompile(`, limit (\d+) W`)
	idleLine     = regexp.MustCompile(`^gpu: (\d+) W when idle$`)
	stampsLine   = regexp.MustCompile(`^stamps: (\w+)`)
	leftOutLine  = regexp.MustCompile(`^left out: (.+?) in (every row|[^,]+), (?:because|each for its figure, the first): (.*)$`)
	lengthsWords = regexp.MustCompile(`prompt=(\d+)/output=(\d+) unless named`)
)

// comments is what the lines of a text say that are no results.
type comments struct {
	info           engine.Info
	prompt, output int // tokens of a request unless the cell names them; 0: unknown
	omitted        []omitted
}

// omitted is metrics that were left out of cells.
type omitted struct {
	metrics, cells []string // no cells: of every row
	reason         string
}

// header fills in the run's header from the configuration and the comments.
func (r *Run) header(text []byte, config map[string]string) *comments {
	h := &r.Header
	h.SchemaVersion = SchemaVersion
	h.Environment = Environment{OS: config["goos"], Arch: config["goarch"], CPU: config["cpu"]}
	h.Simulated = config["server"] == string(engine.VLLMSim)
	c := &comments{info: engine.Info{Kind: engine.Kind(config["server"]), Model: config["model"]}}
	for line := range strings.Lines(string(text)) {
		if says, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "# "); ok {
			c.take(h, says)
		}
	}
	if gpu := config["gpu"]; gpu != "" && len(h.Devices) == 0 {
		h.Devices = []Device{{Name: gpu, Simulated: h.Simulated}}
	}
	c.workload(h, config["workload"])
	if c.info.Kind != "" {
		// A struct of texts and numbers always encodes.
		h.Server, _ = json.Marshal(c.info)
	}
	return c
}

// take reads one comment. The first of a kind stands, as the first configuration does.
func (c *comments) take(h *Header, says string) {
	if m := serverLine.FindStringSubmatch(says); m != nil && c.info.URL == "" {
		c.info.URL = m[1]
		c.info.Version = told(m[2])
		c.info.MaxModelLen, _ = strconv.Atoi(m[3])
	} else if set, ok := strings.CutPrefix(says, "server settings: "); ok && c.info.CacheConfig == nil {
		c.info.CacheConfig = settings(set)
	} else if m := gpuLine.FindStringSubmatch(says); m != nil {
		device(h, m[1], m[2])
	} else if m := idleLine.FindStringSubmatch(says); m != nil && h.IdlePower == 0 {
		h.IdlePower, _ = strconv.ParseFloat(m[1], 64)
	} else if m := stampsLine.FindStringSubmatch(says); m != nil && h.Stamps == "" {
		h.Stamps = m[1]
	} else if says == Insecure {
		h.set("insecure", "true")
	} else if limits, ok := strings.CutPrefix(says, "limits changed: "); ok {
		h.set("limits", limits)
	} else if m := leftOutLine.FindStringSubmatch(says); m != nil {
		o := omitted{metrics: strings.Split(m[1], ", "), reason: m[3]}
		if m[2] != "every row" {
			o.cells = strings.Fields(m[2])
		}
		c.omitted = append(c.omitted, o)
	}
}

func told(s string) string {
	if s == "unknown" {
		return ""
	}
	return s
}

// settings makes of "max-num-seqs=8 kv-cache-dtype=auto" what engine.Info.Settings makes that of.
func settings(text string) map[string]string {
	found := map[string]string{}
	for _, s := range strings.Fields(text) {
		if flag, value, ok := strings.Cut(s, "="); ok {
			if flag == "kv-cache-dtype" {
				flag = "cache-dtype"
			}
			found[strings.ReplaceAll(flag, "-", "_")] = value
		}
	}
	return found
}

// device reads "NVIDIA H200, card GPU-8f6f, driver 580.159.04, limit 700 W".
func device(h *Header, index, says string) {
	d := Device{Simulated: strings.Contains(says, ", SIMULATED")}
	d.Index, _ = strconv.Atoi(index)
	if slices.ContainsFunc(h.Devices, func(have Device) bool { return have.Index == d.Index }) {
		return
	}
	d.Name, _, _ = strings.Cut(says, ", ")
	if m := uuidPart.FindStringSubmatch(says); m != nil {
		d.UUID = m[1]
	}
	if m := driverPart.FindStringSubmatch(says); m != nil {
		d.Driver = m[1]
	}
	if m := limitPart.FindStringSubmatch(says); m != nil {
		d.PowerLimit, _ = strconv.ParseFloat(m[1], 64)
	}
	h.Devices = append(h.Devices, d)
}

// workload reads "completions, token-id prompts, exact output length,
// prompt=200/output=100 unless named, ..." into the flags that it comes from.
func (c *comments) workload(h *Header, line string) {
	if line == "" {
		return
	}
	words := strings.Split(line, ", ")
	h.set("endpoint", words[0])
	c.info.TokenIDs = slices.Contains(words, "token-id prompts")
	extensions := "off"
	if slices.Contains(words, "exact output length") {
		extensions = "on"
	}
	h.set("extensions", extensions)
	if m := lengthsWords.FindStringSubmatch(line); m != nil {
		h.set("prompt", m[1])
		h.set("output", m[2])
		c.prompt, _ = strconv.Atoi(m[1])
		c.output, _ = strconv.Atoi(m[2])
	}
}

func (h *Header) set(flag, value string) {
	if h.Flags == nil {
		h.Flags = map[string]string{}
	}
	if _, ok := h.Flags[flag]; !ok {
		h.Flags[flag] = value
	}
}

// leftOut are the metrics that a comment says were left out of rows of its
// cell and that this one lacks. The reason is that of the first such row.
func (c *comments) leftOut(row *measure.Row) (out []measure.LeftOut) {
	if len(row.Void) > 0 {
		return nil
	}
	for _, o := range c.omitted {
		if o.cells != nil && !slices.Contains(o.cells, row.Name) {
			continue
		}
		for _, metric := range o.metrics {
			if _, ok := row.Value(metric); !ok {
				out = append(out, measure.LeftOut{Metric: metric, Rule: "left out", Reason: o.reason})
			}
		}
	}
	return out
}
