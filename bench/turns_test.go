package bench

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vllmbench/client"
	"vllmbench/internal/load"
	"vllmbench/internal/measure"
	"vllmbench/internal/prompt"
)

// talked is what the flags of BenchmarkTurns say.
var talked = struct {
	users counts
	turns int
	think time.Duration
}{users: counts{4}}

func init() {
	t := &talked
	flag.Var(&t.users, "users", "users who hold conversations at once, for BenchmarkTurns: a cell each")
	flag.IntVar(&t.turns, "turns", 4, "`requests` of a conversation, for BenchmarkTurns: each has -prompt new tokens behind all that was said before, and an answer of -output")
	flag.DurationVar(&t.think, "think", time.Second, "how long a user of BenchmarkTurns waits between an answer and the next request")
	extras = append(extras, &extra{
		name: "Turns", flags: []string{"users", "turns", "think"},
		check: func() error {
			if t.turns < 1 || t.think < 0 {
				return fmt.Errorf("-turns and -think are %d and %v: name at least 1 turn, and no time below 0", t.turns, t.think)
			}
			return nil
		},
		cells: turnsCells,
		says: func() []string {
			return []string{fmt.Sprintf("turns: each prompt is all that was said before and %d new tokens; %v between an answer and the next request, which counts for no metric of the client", flags.prompt, t.think)}
		},
		shows: func() []string {
			shown := slices.Clone(hitMetrics)
			for turn := range t.turns {
				shown = append(shown, measure.TurnTTFT(turn+1))
			}
			return shown
		},
		streams: func() int { return slices.Max(t.users) },
	})
}

// BenchmarkTurns measures users who hold conversations: each turn's prompt holds all
// before it, which the server's prefix cache should have kept. One operation is a
// conversation of each user.
func BenchmarkTurns(b *testing.B) {
	s := asked(b)
	cache, err := s.cache()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range turnsCells() {
		longest := c
		longest.PromptTokens = talked.turns*flags.prompt + (talked.turns-1)*flags.output
		if s.skip(longest) {
			continue
		}
		_, name, _ := strings.Cut(c.Name, "/")
		b.Run(name, func(b *testing.B) {
			users, err := s.talk(c)
			if err != nil {
				b.Fatal(err)
			}
			s.run(b, c, func() error { return s.greet(c) }, func(run *measure.Run, k *ledger) error {
				run.Prefix, run.Think = cache, talked.think
				return s.loopWindow(users, c.Batch*talked.turns, b.Loop)(run, k)
			})
		})
	}
}

// turnsCells have the mean prompt of a conversation's turns.
func turnsCells() (cells []measure.Cell) {
	t := &talked
	for _, users := range t.users {
		cells = append(cells, measure.Cell{
			Experiment: "turns", Name: fmt.Sprintf("Turns/turns=%d/users=%d", t.turns, users), Batch: users,
			PromptTokens: ((t.turns+1)*flags.prompt + (t.turns-1)*flags.output) / 2, OutputTokens: flags.output,
		})
	}
	return cells
}

// greet warms the server up, and sees that it lists the ids of its answers.
func (s *session) greet(c measure.Cell) error {
	if !s.extensions {
		return fmt.Errorf("conversations need a server that lists the ids of its answers (return_token_ids), which is vLLM's own: see -extensions")
	}
	next := func() client.Request {
		r := s.request(c)
		r.ReturnIDs = true
		return r
	}
	rs, err := s.pilot(c, c.Batch, c.Batch*max(flags.warmup, 1), next)
	if err != nil {
		return err
	}
	return heard(&rs[len(rs)-1])
}

// heard returns why a conversation cannot go on with the answer, if so.
func heard(r *client.Result) error {
	if len(r.OutputIDs) == r.OutputTokens {
		return nil
	}
	return fmt.Errorf("the server listed the ids of %d of its %d tokens (return_token_ids), and a conversation goes on with all of them", len(r.OutputIDs), r.OutputTokens)
}

// A user holds one conversation after another.
type user struct {
	said  *prompt.Conversation
	turn  int  // the latest; 0: the next one begins a conversation
	last  int  // the one that ends it
	waits bool // a request was sent before, which the next one waits behind
}

// talk is a closed loop of users. Their first conversations are of different lengths,
// so that first and later turns mix from then on.
func (s *session) talk(c measure.Cell) (l load.Closed, err error) {
	free := make(chan *user, c.Batch)
	for i := range c.Batch {
		said, err := s.prompts.Conversation()
		if err != nil {
			return l, err
		}
		free <- &user{said: said, last: talked.turns - i%talked.turns}
	}
	l = s.closed(c.Batch, 0, func() client.Request { return client.Request{} }) // which Do makes: a prompt holds the last answer
	l.Do = func(ctx context.Context, _ client.Request) client.Result {
		u := <-free
		defer func() { free <- u }()
		return s.say(ctx, c, u)
	}
	return l, nil
}

// say is the user's next turn.
func (s *session) say(ctx context.Context, c measure.Cell, u *user) client.Result {
	if u.waits && talked.think > 0 {
		select {
		case <-ctx.Done():
			return client.Result{Outcome: client.Cancelled, Error: "the run ended"}
		case <-time.After(talked.think):
		}
	}
	u.waits = true
	// Of what was said before, the server has never computed the last token, which it made itself.
	seen := max(u.said.Said()-1, 0)
	u.turn++
	r := s.asksModel(c, u.said.Turn(flags.prompt))
	r.ReturnIDs, r.Turn, r.Seen = true, u.turn, seen
	res := s.generate(ctx, r)
	if err := heard(&res); err != nil && res.Outcome == client.OK {
		res.Outcome, res.Error = client.WrongLength, err.Error()
	}
	u.said.Answer(res.OutputIDs)
	if u.turn >= u.last || res.Outcome != client.OK {
		u.said.Forget()
		u.turn, u.last = 0, talked.turns
	}
	return res
}
