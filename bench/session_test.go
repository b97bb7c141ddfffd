package bench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"vllmbench/client"
	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
	"vllmbench/internal/measure"
	"vllmbench/internal/progress"
	"vllmbench/internal/prompt"
	"vllmbench/internal/results"
	"vllmbench/internal/roofline"
	"vllmbench/internal/scrape"
	"vllmbench/internal/trust"
)

// A session is one server measured by one process.
type session struct {
	ctx     context.Context
	engine  *engine.Client
	info    *engine.Info
	client  *client.Client
	prompts *prompt.Source
	runs    string // how this process is scheduled, in words
	gpu     *gpuprobe.Probe

	gpuIdle       float64             // W
	gpuIdleErr    error               // why gpuIdle is unknown
	gpuNotServers string              // why the GPUs are not the server's
	shape         *roofline.Model     // of the served model; nil: not known
	peaks         *roofline.GPU       // of all GPUs together; nil: not known
	samples       []results.GPUSample // for the record, since its last row
	drained       time.Time           // of the last sample that went there
	nonce         [16]byte
	shown         []measure.Metric
	record        *results.Writer // nil without -record
	stop          func()          // ends the embedded server; nil if another is measured
	line          *progress.Line  // nil: nothing is shown
	page          *scrape.Page    // nil without -metrics-listen

	endpoint   client.Endpoint
	extensions bool       // vLLM's fields are sent, so that lengths are exact
	closes     bool       // the server closes each connection after its answer
	tongue     *tongue    // of text prompts; nil: prompts are token ids
	mix        *mix       // of the cell's requests over -models
	models     modelTimes // what came of it
	// continuous names the cells that ask for usage on every event, since
	// their events may carry several tokens.
	continuous map[string]bool

	gone     error          // why no cell can run any more
	round    uint           // of -count, from 0
	rows     int            // valid
	measured []measure.Cell // their cells
	failed   int            // void
	skipped  []string       // cells that do not fit into the server's context
	leftOut  []omission
}

// openSession finds the server and makes ready all that a run needs, so that
// nothing can fail after the first request that could fail before it.
func openSession(ctx context.Context) (s *session, err error) {
	s = &session{ctx: ctx, continuous: map[string]bool{}, models: modelTimes{}}
	defer func() {
		if err != nil {
			_ = s.close(false) // err says more
		}
	}()
	if err := check(); err != nil {
		return s, err
	}
	s.shown, _ = shown() // check has seen it
	if raceEnabled {
		return s, fmt.Errorf("the race detector is on, which makes every time wrong: run benchmarks without -race")
	}
	url := flags.url
	if url == "" {
		if url, s.stop, err = startEmbedded(); err != nil {
			return s, err
		}
	}
	believed, err := believed()
	if err != nil {
		return s, err
	}
	s.engine = &engine.Client{URL: url, APIKey: flags.apiKey, HTTP: trust.Client(believed)}
	if s.info, err = s.engine.Discover(ctx, flags.model); err != nil {
		return s, err
	}
	if err := s.engine.Serves(ctx, flags.models.names()...); err != nil {
		return s, err
	}
	if err := s.fits(); err != nil {
		return s, err
	}
	if err := s.connect(believed); err != nil {
		return s, err
	}
	if err := s.load(); err != nil {
		return s, err
	}
	if err := s.watchGPU(believed); err != nil {
		return s, err
	}
	if err := s.bounds(); err != nil {
		return s, err
	}
	if err := s.tryProfiler(); err != nil {
		return s, err
	}
	if err := s.offer(); err != nil {
		return s, err
	}
	return s, s.openRecord()
}

// connect makes the client, for as many requests as may be in flight.
func (s *session) connect(believed *tls.Config) (err error) {
	s.client, err = client.New(client.Config{
		BaseURL: s.info.URL, APIKey: flags.apiKey, Model: s.info.Model,
		Streams:    s.streams(),
		FirstToken: flags.firstToken, Stall: flags.stall, UserStamps: flags.userStamps, TLS: believed,
	})
	if err != nil {
		return err
	}
	if err := openFiles(2*s.streams() + 64); err != nil {
		return err
	}
	s.runs = "ordinary priority (-priority=false)"
	if flags.priority {
		s.runs = client.Prioritise() // after the embedded server was started, which must not have it
	}
	return nil
}

// load decides what is sent: the endpoint, the source of prompts, and whether vLLM's fields are.
func (s *session) load() (err error) {
	_, _ = rand.Read(s.nonce[:]) // never fails
	if flags.endpoint == client.Chat.String() {
		s.endpoint = client.Chat
	}
	if s.info.TokenIDs && s.endpoint == client.Completions {
		var ids []int
		if ids, err = s.engine.Tokenize(s.ctx, s.info.Model, prompt.Words); err != nil {
			return err
		}
		s.prompts, err = prompt.FromIDs(ids, s.nonce)
	} else if s.prompts, err = prompt.FromText(os.DirFS(fromRoot("testdata/prompts")), s.nonce); err == nil {
		s.learnTongue()
	}
	if err != nil {
		return err
	}
	s.learnManners()
	return nil
}

// openRecord begins the record, if there is one.
func (s *session) openRecord() (err error) {
	if flags.record == "" {
		return nil
	}
	server, err := json.Marshal(s.info)
	if err != nil {
		return fmt.Errorf("encoding what the server says of itself: %w", err)
	}
	executable, _ := os.Executable() // "" is of no known commit
	s.record, err = results.Create(fromRoot(flags.record), results.Header{
		Started:     time.Now(),
		Epoch:       s.client.Epoch(),
		Nonce:       hex.EncodeToString(s.nonce[:]),
		Environment: results.Environment{Commit: commit(s.ctx, executable, fromRoot("."))},
		Server:      server,
		Flags:       flagsSaid(),
		Stamps:      string(s.client.Stamps()),
		Simulated:   s.info.Kind == engine.VLLMSim,
		Devices:     s.devices(),
		IdlePower:   s.gpuIdle,
		Model:       s.shape,
		Peaks:       s.peaks,
	})
	return err
}

// empty returns why no cell ran, where that is a mistake.
func (s *session) empty() error {
	switch {
	case s.rows+s.failed > 0:
		return nil
	case len(s.skipped) > 0:
		return fmt.Errorf("no cell fits into the server's context of %d tokens: name shorter -prompt, -output, -prompts or -outputs", s.info.MaxModelLen)
	case s.record != nil:
		return fmt.Errorf("-bench=%s matches no cell, so there is nothing to save in %s: -bench=. is all of them", flag.Lookup("test.bench").Value, flags.record)
	}
	return nil
}

// close ends the run. ok puts the record in its place.
func (s *session) close(ok bool) error {
	_ = s.line.Close() // what becomes of the terminal is no part of the run
	err := s.page.Close(s.ctx)
	if s.gpu != nil {
		err = errors.Join(err, s.gpu.Close())
	}
	if s.stop != nil {
		s.stop()
	}
	if s.record != nil {
		saved := s.saveGPU()
		ended := s.record.Close(ok && err == nil && saved == nil)
		if errors.Is(ended, saved) {
			saved = nil // a disk that ran full is said once
		}
		err = errors.Join(err, saved, ended)
	}
	return err
}
