package results

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vllmbench/internal/engine"
)

// Groups of facts, in the order in which Facts has them.
const (
	FactModel    = "model"
	FactServer   = "server"
	FactSettings = "server settings"
	FactGPU      = "gpu"
	FactWorkload = "workload"
	FactClient   = "client"
	FactHarness  = "harness"
)

// FactCard is the name of the fact which card of its kind a GPU is.
const FactCard = "card"

// Insecure is the comment in a text that stands for the flag -insecure.
const Insecure = "INSECURE: certificates are not verified (-insecure), so whoever is on the way may have answered, and has the API key"

// A Fact is one thing that was so in a run and could be otherwise in another.
type Fact struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Difference is a fact that is not the same in two runs.
type Difference struct {
	Group string `json:"group"`
	Name  string `json:"name"`
	Old   string `json:"old,omitempty"` // empty: the run does not tell
	New   string `json:"new,omitempty"`
}

// Differences lists the facts that a and b do not share, in the order of a,
// then those that only b has. Of two facts of one name in a group the first counts.
func Differences(a, b []Fact) (out []Difference) {
	value := func(all []Fact, f Fact) string {
		i := slices.IndexFunc(all, func(o Fact) bool { return o.Group == f.Group && o.Name == f.Name })
		if i < 0 {
			return ""
		}
		return all[i].Value
	}
	for _, f := range slices.Concat(a, b) {
		d := Difference{f.Group, f.Name, value(a, f), value(b, f)}
		if d.Old != d.New && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(x, y Difference) int { return groupOrder(x.Group) - groupOrder(y.Group) })
	return out
}

func groupOrder(group string) int {
	return slices.Index([]string{FactModel, FactServer, FactSettings, FactGPU, FactWorkload, FactClient, FactHarness}, group)
}

// Facts lists what the run tells of its server, machine and harness, without
// what only says where or when it was: URL, folders, times, the nonce. What
// the run does not tell is left out.
func (r *Run) Facts() []Fact {
	var f facts
	var info engine.Info
	// A header that another program wrote may hold any JSON as the server.
	known := json.Unmarshal(r.Header.Server, &info) == nil
	if known {
		f.server(&info, r.Header.Simulated, r.Header.Flags["insecure"] == "true")
	}
	for _, d := range r.Header.Devices {
		f.device(d, len(r.Header.Devices) > 1)
	}
	f.workload(&r.Header, &info, known)
	f.client(&r.Header)
	f.harness(&r.Header)
	f.load(r)
	return f
}

type facts []Fact

// add adds a fact, unless its value is unknown.
func (f *facts) add(group, name, value string) {
	if value != "" {
		*f = append(*f, Fact{group, oneLine(name), oneLine(value)}) // of the server's raw JSON, too
	}
}

func (f *facts) server(info *engine.Info, simulated, insecure bool) {
	f.add(FactModel, "name", info.Model)
	f.add(FactServer, "kind", string(info.Kind))
	f.add(FactServer, "version", info.Version)
	f.add(FactServer, "simulated", strconv.FormatBool(simulated))
	if insecure {
		f.add(FactServer, "certificate", "INSECURE: not verified")
	}
	settings := info.Settings()
	for _, s := range settings {
		flag, value, _ := strings.Cut(s, "=")
		f.add(FactSettings, flag, value)
	}
	if !slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "max-model-len=") }) {
		f.add(FactSettings, "max-model-len", count(info.MaxModelLen))
	}
}

func (f *facts) device(d Device, several bool) {
	of := ""
	if several {
		of = fmt.Sprintf(" %d", d.Index)
	}
	f.add(FactGPU, "device"+of, d.Name)
	f.add(FactGPU, FactCard+of, d.UUID)
	f.add(FactGPU, "driver"+of, d.Driver)
	if d.PowerLimit > 0 {
		f.add(FactGPU, "power limit"+of, fmt.Sprintf("%.0f W", d.PowerLimit))
	}
}

// workload is what was asked of the server, as the line "workload:" says it.
func (f *facts) workload(h *Header, info *engine.Info, known bool) {
	endpoint := h.Flags["endpoint"]
	f.add(FactWorkload, "endpoint", endpoint)
	if known && endpoint != "" {
		prompts, length := "text", "up to the model"
		if info.TokenIDs && endpoint == "completions" {
			prompts = "token ids"
		}
		if h.Flags["extensions"] == "on" || h.Flags["extensions"] == "auto" && info.Kind != engine.OpenAI {
			length = "exact"
		}
		f.add(FactWorkload, "prompts", prompts)
		f.add(FactWorkload, "output length", length)
	}
	f.add(FactWorkload, "prompt", tokens(h.Flags["prompt"]))
	f.add(FactWorkload, "output", tokens(h.Flags["output"]))
}

// count is n, or "" if it is 0: unknown.
func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func tokens(n string) string {
	if n == "" {
		return ""
	}
	return n + " tokens"
}

func (f *facts) client(h *Header) {
	e := h.Environment
	f.add(FactClient, "cpu", e.CPU)
	f.add(FactClient, "cores", count(e.Cores))
	f.add(FactClient, "os", strings.Trim(e.OS+"/"+e.Arch, "/"))
	f.add(FactClient, "kernel", e.Kernel)
	f.add(FactClient, "go", e.Go)
	f.add(FactClient, "stamps", h.Stamps)
}

// load is what only some rows depend on: how arrivals bunch, and what goodput was measured by.
func (f *facts) load(r *Run) {
	if slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Measured.Open() }) {
		f.add(FactWorkload, "burstiness", r.Header.Flags["burstiness"])
	}
	if i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Measured.SLO != "" }); i >= 0 {
		f.add(FactHarness, "slo", r.Rows[i].Measured.SLO)
	}
}

// measuring are the flags that change how a cell is measured. Those that
// choose cells or metrics do not: two runs are compared in what both have.
var measuring = []string{"test.benchtime", "warmup", "limits", "priority", "quantiles", "first-token-timeout", "stall-timeout"}

func (f *facts) harness(h *Header) {
	f.add(FactHarness, "commit", h.Environment.Commit)
	for _, name := range measuring {
		f.add(FactHarness, strings.TrimPrefix(name, "test."), h.Flags[name])
	}
}
