package k6

import (
	"time"

	"go.k6.io/k6/lib"

	"vllmbench/client"
	"vllmbench/k6/schedule"
)

// intended is when an iteration's first request is due, on the client's clock:
// when its arrival-rate executor wanted the iteration begun. It is 0 where
// nothing is due: in other executors, and for further requests of an iteration.
//
// An iteration for which no VU was free is dropped and has no number of its
// own, so those that were dropped are counted in. Without the output they are not known,
// and later ones seem due earlier than they were.
func (m *module) intended(c *client.Client, state *lib.State, scenario *lib.ScenarioState) (time.Duration, error) {
	s, known := m.schedules[scenario.Name]
	if !known {
		execution := lib.GetExecutionState(m.vu.Context())
		var err error
		if s, err = schedule.Of(execution.Test.Options.Scenarios[scenario.Name], execution.ExecutionTuple); err != nil {
			return 0, err
		}
		m.schedules[scenario.Name] = s
	}
	first := m.iteration != state.Iteration || m.scenario != scenario.Name
	m.iteration, m.scenario = state.Iteration, scenario.Name
	if s == nil || !first {
		return 0, nil
	}
	n := state.GetScenarioLocalVUIter() + uint64(m.drops(scenario.Name).Load())
	due := scenario.StartTime.Add(s.Due(n)).Sub(c.Epoch())
	return max(due, 0), nil // 0: due before the server was found, so it counts from its sending
}
