package bench

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vllmbench/client"
	"vllmbench/internal/engine"
)

// settling is how long the server's counters may take to follow its streams' ends.
const settling = 2 * time.Second

// counts says whether the server has counters to hold the run against.
func (s *session) counts() bool { return s.info.Kind != engine.OpenAI }

// balance reads what the server counted since before, once it has counted all
// that ended, or what there is when it does not come to that.
func (s *session) balance(before *engine.Snapshot, streams [][]client.Result) (engine.Delta, error) {
	var requests, tokens float64
	for _, r := range slices.Concat(streams...) {
		requests++
		tokens += float64(r.OutputTokens)
	}
	after, err := s.engine.Settled(s.ctx, s.info.Model, func(now *engine.Snapshot) bool {
		d := now.Since(before)
		return d.Reset || d.Requests.N >= requests && d.GenerationTokens.N >= tokens
	}, settling)
	if err != nil {
		return engine.Delta{}, err
	}
	return after.Since(before), nil
}

// dying is how long a server may take to die, in which its system still takes
// connections that nobody answers.
const dying = 200 * time.Millisecond

// alive returns why no further cell can be measured, if so.
func (s *session) alive() error {
	_, err := s.engine.Discover(s.ctx, s.info.Model)
	if err != nil {
		select {
		case <-s.ctx.Done():
		case <-time.After(dying):
			_, err = s.engine.Discover(s.ctx, s.info.Model)
		}
	}
	switch {
	case s.ctx.Err() != nil:
		return errors.New("the run was interrupted")
	case err != nil:
		return fmt.Errorf("the server is gone: %w", err)
	}
	return nil
}
