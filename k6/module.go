package k6

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/lib"

	"vllmbench/client"
	"vllmbench/k6/schedule"
)

// A module is what one VU's script imports.
type module struct {
	*process
	vu        modules.VU
	metrics   *emitter
	schedules map[string]*schedule.Schedule // of the scenarios that this VU has run; nil: not an arrival rate
	iteration int64                         // the last one that sent a request
	scenario  string                        // in which that was
}

// NewModuleInstance is called by k6 once for each VU.
func (p *process) NewModuleInstance(vu modules.VU) modules.Instance {
	m := &module{process: p, vu: vu, schedules: map[string]*schedule.Schedule{}, iteration: -1}
	var err error
	if m.metrics, err = newEmitter(vu.InitEnv().Registry); err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return m
}

// Exports is what the script sees.
func (m *module) Exports() modules.Exports {
	named := map[string]any{"server": m.name, "info": m.info, "generate": m.generate}
	return modules.Exports{Default: named, Named: named}
}

// name is server({...}).
func (m *module) name(arg sobek.Value) error {
	if m.vu.State() != nil {
		return errors.New("server() belongs outside of functions: the server is the same in every iteration")
	}
	var s Server
	if err := parse("server()", arg, &s); err != nil {
		return err
	}
	return m.process.name(s)
}

// Info is what a script learns of the server. It has JSON names too, since k6
// passes what setup() returns as JSON.
type Info struct {
	URL         string `js:"url" json:"url"`
	Model       string `js:"model" json:"model"`
	Kind        string `js:"kind" json:"kind"`
	Version     string `js:"version" json:"version"`
	MaxModelLen int    `js:"maxModelLen" json:"maxModelLen"` // tokens; 0: unknown
	Stamps      string `js:"stamps" json:"stamps"`
	Runs        string `js:"runs" json:"runs"`   // how this process is scheduled, in words
	Exact       bool   `js:"exact" json:"exact"` // output lengths are exactly those asked
}

// info is info(): it finds the server if that has not been done.
func (m *module) info() (*Info, error) {
	if m.vu.State() == nil {
		return nil, errors.New("info() belongs into setup() or an iteration: no server is asked while scripts are read")
	}
	t, err := m.find(m.vu.Context())
	if err != nil {
		return nil, err
	}
	return &Info{t.info.URL, t.info.Model, string(t.info.Kind), t.info.Version, t.info.MaxModelLen, string(t.client.Stamps()), t.runs, t.extensions}, nil
}

// Asked is the argument of generate.
type Asked struct {
	Prompt int    `json:"prompt"` // tokens
	Output int    `json:"output"` // tokens
	Cell   string `json:"cell"`   // "": the tag "cell", or the scenario
}

// Answer is what generate returns. Times are in milliseconds, as everywhere in k6, and 0 if not reached.
type Answer struct {
	TTFT         float64 `js:"ttft" json:"ttft"`
	ITL          float64 `js:"itl" json:"itl"` // mean
	E2E          float64 `js:"e2e" json:"e2e"`
	Late         float64 `js:"late" json:"late"` // due to sent; 0 if the executor sets no time
	Lag          float64 `js:"lag" json:"lag"`   // the longest from a token's arrival to this client's reading of it
	Tokens       int     `js:"tokens" json:"tokens"`
	PromptTokens int     `js:"promptTokens" json:"promptTokens"`
	Outcome      string  `js:"outcome" json:"outcome"` // "ok", or what failed
	Error        string  `js:"error" json:"error"`
	Voided       bool    `js:"voided" json:"voided"` // the outcome is not ok, so the cell's row proves nothing
	Met          bool    `js:"met" json:"met"`       // every objective of server({slo}); true of an ok request without any
}

// generate is generate({...}): it sends one request and waits for its end. A
// request that fails is an answer, not an exception.
func (m *module) generate(arg sobek.Value) (*Answer, error) {
	state, scenario := m.vu.State(), lib.GetScenarioState(m.vu.Context())
	if state == nil || scenario == nil {
		return nil, errors.New("generate() belongs into an iteration: what setup() or teardown() sends is in no cell")
	}
	var asked Asked
	if err := parse("generate()", arg, &asked); err != nil {
		return nil, err
	}
	if asked.Prompt < 1 || asked.Output < 1 {
		return nil, fmt.Errorf("generate(): prompt is %d and output %d tokens: ask for 1 or more of each", asked.Prompt, asked.Output)
	}
	rec := m.recorder.Load()
	if rec == nil && os.Getenv(recordEnv) != "" {
		return nil, fmt.Errorf("%s is set, but nothing records: add --out vllmbench to the command line", recordEnv)
	}
	t, err := m.find(m.vu.Context())
	if err != nil {
		return nil, err
	}
	req := t.request(asked.Prompt, asked.Output)
	if req.Intended, err = m.intended(t.client, state, scenario); err != nil {
		return nil, err
	}
	res := t.client.Generate(m.vu.Context(), req)
	label := m.label(asked.Cell, state, scenario.Name)
	m.metrics.emit(state, t, label, &res)
	rec.add(label, scenario, state.VUID, asked, res)
	return answer(t, &res), nil
}

// label is the cell's name.
func (m *module) label(asked string, state *lib.State, scenario string) string {
	if asked != "" {
		return asked
	}
	if tag, ok := state.Tags.GetCurrentValues().Tags.Get(cellTag); ok && tag != "" {
		return tag
	}
	return scenario
}

// parse reads the object that a script calls a function with; a name that is not known is an error.
func parse(function string, arg sobek.Value, into any) error {
	if _, object := arg.(*sobek.Object); !object {
		return fmt.Errorf("%s takes an object of names and values", function)
	}
	text, err := json.Marshal(arg.Export())
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", function, err)
	}
	return nil
}

func answer(t *target, res *client.Result) *Answer {
	a := &Answer{
		TTFT: milliseconds(res.TTFT()), ITL: milliseconds(res.TPOT()), E2E: milliseconds(res.E2E()), Lag: milliseconds(longestLag(res)),
		Tokens: res.OutputTokens, PromptTokens: res.PromptTokens, Outcome: string(res.Outcome), Error: res.Error,
		Voided: res.Outcome != client.OK, Met: t.objective.Met(res),
	}
	if res.Scheduled && res.Sent > 0 {
		a.Late = milliseconds(res.Sent - res.Intended)
	}
	return a
}
