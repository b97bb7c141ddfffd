package ab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// A runner is a run in progress.
type runner struct {
	Config
	sides [2]Side
	legs  [2]legs
	turns []turn
	on    int // the side that was switched to last; -1: neither
	began time.Time
}

func newRunner(c Config) *runner {
	return &runner{Config: c, sides: [2]Side{c.A, c.B}, turns: order(c.Blocks), on: -1, began: time.Now()}
}

// spoilt is a fault of a leg that need not come again.
type spoilt struct{ error }

// all measures block after block. A spoilt leg spoils its block, whose legs
// would no longer lie evenly in time: the block begins again, once.
func (r *runner) all(ctx context.Context) error {
	for block := range slices.Chunk(r.turns, 4) {
		err := r.block(ctx, block)
		var again spoilt
		if errors.As(err, &again) {
			r.say("%v; block %d begins again, once", err, block[0].block)
			if err = r.drop(block[0].block); err == nil {
				err = r.block(ctx, block)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) block(ctx context.Context, block []turn) error {
	for _, t := range block {
		if err := r.leg(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// drop forgets the legs of a block.
func (r *runner) drop(block int) error {
	for i := range r.legs {
		r.legs[i] = slices.DeleteFunc(r.legs[i], func(l leg) bool { return l.block == block })
	}
	return r.save()
}

// leg measures one leg and saves it.
func (r *runner) leg(ctx context.Context, t turn) error {
	side := r.sides[t.side]
	if side.Switch != "" && r.on != t.side {
		if err := r.switchTo(ctx, side); err != nil {
			return interrupted(ctx, err)
		}
		r.on = t.side
	}
	began := time.Now()
	out, err := r.Program.run(ctx, r.flags(t)...)
	if err == nil {
		if err = out.fault(); err != nil {
			err = r.blame(ctx, t, out, err)
		}
	}
	if err == nil {
		err = r.fits(t, out)
	}
	if err = interrupted(ctx, err); err != nil {
		return err
	}
	r.legs[t.side] = append(r.legs[t.side], leg{t, out, began})
	if err := r.save(); err != nil {
		return err
	}
	r.tell(t, out, time.Since(began))
	return nil
}

// interrupted returns err, or, when ctx has ended, that.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("the run was interrupted")
	}
	return err
}

// flags are the command line of a leg.
func (r *runner) flags(t turn) []string {
	side := r.sides[t.side]
	args := slices.Concat([]string{"-test.run=^$", "-test.bench=.", "-test.count=1", "-test.timeout=0"}, r.Args, []string{"-url=" + side.URL})
	if r.Record {
		dir, err := filepath.Abs(filepath.Join(r.Dir, "records", side.Name+"-"+strconv.Itoa(t.number)))
		if err != nil {
			panic(err) // the working directory has gone
		}
		args = append(args, "-record="+dir)
	}
	return args
}

// blame says whose fault a leg's is, and whether the leg is worth repeating.
func (r *runner) blame(ctx context.Context, t turn, out *output, fault error) error {
	side := r.sides[t.side]
	fault = fmt.Errorf("leg %d of %d, %s: %w", t.leg, len(r.turns), side.Name, fault)
	if out.hopeless() { // it says itself if there is no server
		return fault
	}
	if err := answers(ctx, r.HTTP, side.URL, r.APIKey); err != nil {
		return fmt.Errorf("%w; no server answers at %s any more (%v)", fault, side.URL, err)
	}
	return spoilt{fault}
}

// fits holds a leg against those before it: the same things must be measured.
func (r *runner) fits(t turn, out *output) error {
	name := r.sides[t.side].Name
	if own := r.legs[t.side]; len(own) > 0 {
		if key, ok := differs(own[0].config, out.config); ok {
			return fmt.Errorf("leg %d of %d says of %s %q, and leg %d said %q: something else answers there now", t.leg, len(r.turns), key+":", out.config[key], own[0].leg, own[0].config[key])
		}
		r.watch(own[0].output, out, name)
		return nil
	}
	other := r.legs[1-t.side]
	if len(other) == 0 {
		return nil
	}
	for _, key := range []string{"model", "workload"} {
		if was, is := other[0].config[key], out.config[key]; was != is && !r.Force {
			return fmt.Errorf("%s and %s differ in their %s, %q and %q: compare like with like, or say -force", r.sides[1-t.side].Name, name, key, was, is)
		}
	}
	if r.sides[t.side].Switch != "" && other[0].setting(settings) == out.setting(settings) {
		r.say("note: both sides tell the same settings: %s", out.setting(settings))
	}
	return nil
}

// settings begins the comment with what the server tells of its flags.
const settings = "# server settings:"

// watch says when a side's server is not set as it was.
func (r *runner) watch(first, now *output, name string) {
	if was, is := first.setting(settings), now.setting(settings); was != is {
		r.say("note: the settings of %s are no longer those of its first leg: %s", name, is)
	}
}

// differs returns the first key under which a and b differ.
func differs(a, b map[string]string) (key string, yes bool) {
	both := maps.Clone(a)
	maps.Copy(both, b)
	for _, key := range slices.Sorted(maps.Keys(both)) {
		if a[key] != b[key] {
			return key, true
		}
	}
	return "", false
}

// save writes what there is under the names of unfinished files.
func (r *runner) save() (err error) {
	for i, s := range r.sides {
		err = errors.Join(err, r.legs[i].save(partial(r.Dir, s), len(r.turns)))
	}
	return err
}

// kept adds to err where the legs measured so far are.
func (r *runner) kept(err error) error {
	n := len(r.legs[0]) + len(r.legs[1])
	var paths string
	for i, s := range r.sides {
		if len(r.legs[i]) > 0 {
			paths += " " + partial(r.Dir, s)
		}
	}
	if n == 0 {
		return err
	}
	return fmt.Errorf("%w; kept: %d of %d legs in%s", err, n, len(r.turns), paths)
}

// finish gives the files their names.
func (r *runner) finish() (*Outcome, error) {
	o := &Outcome{A: whole(r.Dir, r.A), B: whole(r.Dir, r.B), Blocks: r.Blocks, Changes: changes(r.legs)}
	for _, s := range r.sides {
		if err := os.Rename(partial(r.Dir, s), whole(r.Dir, s)); err != nil {
			return nil, r.kept(fmt.Errorf("saving results: %w", err))
		}
	}
	a, b := maps.Clone(r.legs[0][0].config), r.legs[1][0].config
	for key, ok := differs(a, b); ok; key, ok = differs(a, b) {
		o.Ignore, a[key] = append(o.Ignore, key), b[key]
	}
	return o, nil
}
