package bench

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"vllmbench/client"
	"vllmbench/internal/measure"
)

// prefixed is what the flags of BenchmarkPrefix say.
var prefixed = struct {
	shared               percents
	prompt, batch, block int
	salts                string
}{shared: percents{0, 50, 90}}

func init() {
	p := &prefixed
	flag.Var(&p.shared, "shared", "shares of the prompt that all requests have in common, in `percent`, for BenchmarkPrefix: a cell each")
	flag.IntVar(&p.prompt, "prefix-prompt", 1000, "prompt `tokens`, for BenchmarkPrefix")
	flag.IntVar(&p.batch, "prefix-batch", 4, "`requests` in flight, for BenchmarkPrefix")
	flag.IntVar(&p.block, "prefix-block", 0, "`tokens` in a block of the server's prefix cache (0: what the server says)")
	flag.StringVar(&p.salts, "salts", "run", "cache_salt of BenchmarkPrefix: run is one for all, so that they share; request is one for each, so that nothing is found; run,request are a cell each")
	extras = append(extras, &extra{
		name: "Prefix", flags: []string{"shared", "prefix-prompt", "prefix-batch", "salts"},
		check: checkPrefix,
		cells: func() (cells []measure.Cell) {
			for _, c := range prefixCells() {
				cells = append(cells, c.Cell)
			}
			return cells
		},
		says: func() []string {
			return []string{fmt.Sprintf("prefix: %d in flight, prompts of %d tokens, of which the first are common to all of a cell and were sent once before it", p.batch, p.prompt)}
		},
		shows: func() []string { return hitMetrics },
	})
}

// hitMetrics stand side by side where prompts are made for the prefix cache.
var hitMetrics = []string{"prefix-hit-%", "prefix-expected-%"}

// BenchmarkPrefix measures prompts that begin alike, as behind one system prompt, and so what the
// server's prefix cache saves. One operation is -prefix-batch requests.
func BenchmarkPrefix(b *testing.B) {
	s := asked(b)
	cache, err := s.cache()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range prefixCells() {
		if s.skip(c.Cell) {
			continue
		}
		_, name, _ := strings.Cut(c.Name, "/")
		b.Run(name, func(b *testing.B) { s.prefix(b, c, cache) })
	}
}

// A prefixCell is a cell of BenchmarkPrefix.
type prefixCell struct {
	measure.Cell
	shared int  // tokens common to all prompts
	own    bool // each request has a salt of its own
}

func prefixCells() (cells []prefixCell) {
	p := &prefixed
	for _, percent := range p.shared {
		for salt := range strings.SplitSeq(p.salts, ",") {
			c := prefixCell{shared: p.prompt * percent / 100, own: salt == "request", Cell: measure.Cell{
				Experiment: "prefix", Name: fmt.Sprintf("Prefix/shared=%d", percent),
				Batch: p.batch, PromptTokens: p.prompt, OutputTokens: flags.output,
			}}
			if c.own {
				c.Name += "/salt=request"
			}
			cells = append(cells, c)
		}
	}
	return cells
}

func checkPrefix() error {
	p := &prefixed
	switch {
	case p.prompt < 1 || p.batch < 1:
		return fmt.Errorf("-prefix-prompt and -prefix-batch are %d and %d: name at least 1 each", p.prompt, p.batch)
	case p.block < 0:
		return fmt.Errorf("-prefix-block is %d: name the tokens in a block, or 0 for what the server says", p.block)
	case !slices.Contains([]string{"run", "request", "run,request", "request,run"}, p.salts):
		return fmt.Errorf("-salts is %q: name run, request or run,request", p.salts)
	}
	return nil
}

// prefix measures one cell. Its common part is in the server's cache before
// the ledger is opened, by a request that is not measured.
func (s *session) prefix(b *testing.B, c prefixCell, cache *measure.Prefix) {
	if c.own && !s.extensions {
		b.Fatal("-salts=request needs a server that takes cache_salt: leave it out, or see -extensions")
	}
	group, err := s.prompts.Shared(c.shared)
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	next := func() client.Request {
		r := s.asksModel(c.Cell, group.Next(c.PromptTokens))
		if c.own {
			r.CacheSalt += "-" + strconv.FormatInt(n.Add(1), 10)
		} else {
			r.Seen = c.shared
		}
		return r
	}
	warm := func() error {
		if _, err := s.pilot(c.Cell, 1, 1, next); err != nil {
			return err
		}
		return s.warm(c.Cell, next)
	}
	s.run(b, c.Cell, warm, func(run *measure.Run, k *ledger) error {
		run.Prefix = cache
		return s.closedWindow(c.Cell, next, b.Loop)(run, k)
	})
}

// cache is how the server's prefix cache finds what it holds, by its own word.
func (s *session) cache() (*measure.Prefix, error) {
	p := &measure.Prefix{Block: prefixed.block, Off: strings.EqualFold(s.setting("enable-prefix-caching"), "false")}
	if p.Block == 0 {
		p.Block, _ = strconv.Atoi(s.setting("block-size")) // what is no number tells nothing
	}
	if p.Block < 1 && !p.Off {
		return nil, fmt.Errorf("%s does not tell how many tokens a block of its prefix cache has (vllm:cache_config_info in GET /metrics), without which hits cannot be expected: name it by -prefix-block", s.info.URL)
	}
	if p.Off && s.round == 0 {
		fmt.Println("# prefix: the server's prefix caching is off (enable-prefix-caching), so no hits are expected")
	}
	return p, nil
}

// setting is what the server says of one of its settings, by the name of the flag; "" if it does not.
func (s *session) setting(name string) string {
	for _, set := range s.info.Settings() {
		if value, ok := strings.CutPrefix(set, name+"="); ok {
			return value
		}
	}
	return ""
}

// percents is a list of numbers from 0 to 99, separated by commas.
type percents []int

func (p *percents) String() string { return (*counts)(p).String() }

func (p *percents) Set(s string) error {
	var out percents
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 || n > 99 {
			return fmt.Errorf("%q is not a number from 0 to 99: name some, separated by commas", part)
		}
		if slices.Contains(out, n) {
			return fmt.Errorf("%d is named twice: name it once", n)
		}
		out = append(out, n)
	}
	*p = out
	return nil
}
