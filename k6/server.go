package k6

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"vllmbench/client"
	"vllmbench/internal/engine"
	"vllmbench/internal/prompt"
	"vllmbench/internal/results"
	"vllmbench/internal/slo"
	"vllmbench/internal/trust"
)

// idleStreams is how many idle connections are kept: more than the streams
// that one process can measure.
const idleStreams = 1 << 14

// probe is what engine.Client.Discover lets the server complete by one token.
const probe = "one two three"

// A Server is what a script says of the server to measure, in server({...}).
// The API key comes by the environment, VLLM_API_KEY, and is in no script.
type Server struct {
	URL             string `json:"url"`               // "": VLLM_BASE_URL
	Model           string `json:"model"`             // "": the server's first
	Endpoint        string `json:"endpoint"`          // "": "completions"; or "chat"
	Extensions      string `json:"extensions"`        // vLLM's own fields: "on", "off", or ""/"auto": by the server's kind
	ContinuousUsage bool   `json:"continuousUsage"`   // ask for usage on every event, where events carry several tokens
	Prompts         string `json:"prompts"`           // folder of text prompts, for servers that take no token ids
	SLO             string `json:"slo"`               // "ttft:500ms,itl:50ms", for goodput
	FirstToken      string `json:"firstTokenTimeout"` // "": 5m
	Stall           string `json:"stallTimeout"`      // "": 1m
	Priority        string `json:"priority"`          // "on" or "": what the system allows, as the benchmarks take; or "off"
	CA              string `json:"ca"`                // file of certificates to believe besides the system's
	Insecure        bool   `json:"insecure"`          // verify none
}

// A target is a server that was found, and all that requests to it need.
type target struct {
	Server
	engine     *engine.Client
	info       *engine.Info
	client     *client.Client
	prompts    *prompt.Source
	objective  slo.SLO
	nonce      [16]byte
	extensions bool
	runs       string // how this process is scheduled, in words
	asked      []results.Asked
	before     *engine.Snapshot // of the counters before asked; nil: the server has none
}

// filled returns s with its defaults, and fails if it makes no sense.
func (s Server) filled() (Server, error) {
	s.URL = cmp.Or(s.URL, os.Getenv("VLLM_BASE_URL"))
	s.Endpoint = cmp.Or(s.Endpoint, client.Completions.String())
	s.Extensions = cmp.Or(s.Extensions, "auto")
	s.Priority = cmp.Or(s.Priority, "on")
	switch {
	case s.URL == "":
		return s, errors.New("no server is named: call server({url: \"http://HOST:8000\"}) outside of functions, or set VLLM_BASE_URL")
	case s.Endpoint != "completions" && s.Endpoint != "chat":
		return s, fmt.Errorf("endpoint is %q: say completions or chat", s.Endpoint)
	case s.Extensions != "auto" && s.Extensions != "on" && s.Extensions != "off":
		return s, fmt.Errorf("extensions is %q: say auto, on or off", s.Extensions)
	case s.Priority != "on" && s.Priority != "off":
		return s, fmt.Errorf("priority is %q: say on or off", s.Priority)
	}
	return s, nil
}

// find discovers the server and makes ready what requests need.
func (s Server) find(ctx context.Context) (t *target, err error) {
	if s, err = s.filled(); err != nil {
		return nil, err
	}
	t = &target{Server: s, runs: "ordinary priority (priority: off)"}
	if t.objective, err = slo.Parse(s.SLO); err != nil {
		return nil, fmt.Errorf("slo: %w", err)
	}
	believed, err := trust.Trust{CA: s.CA, Insecure: s.Insecure}.TLS()
	if err != nil {
		return nil, err
	}
	conf := client.Config{APIKey: os.Getenv("VLLM_API_KEY"), Streams: idleStreams, TLS: believed}
	if conf.FirstToken, err = timeout("firstTokenTimeout", s.FirstToken); err != nil {
		return nil, err
	}
	if conf.Stall, err = timeout("stallTimeout", s.Stall); err != nil {
		return nil, err
	}
	t.engine = &engine.Client{URL: s.URL, APIKey: conf.APIKey, HTTP: trust.Client(believed)}
	before, unread := t.engine.Snapshot(ctx, s.Model)
	if t.info, err = t.engine.Discover(ctx, s.Model); err != nil {
		return nil, err
	}
	if t.info.Counters {
		if unread != nil {
			return nil, unread
		}
		t.before = before
	}
	conf.BaseURL, conf.Model = t.info.URL, t.info.Model
	if t.client, err = client.New(conf); err != nil {
		return nil, err
	}
	if s.Priority == "on" {
		t.runs = client.Prioritise()
	}
	return t, t.load(ctx)
}

func timeout(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%s is %q, which is no time above 0: write it as \"90s\"", name, text)
	}
	return d, nil
}

// load makes the source of prompts.
func (t *target) load(ctx context.Context) error {
	_, _ = rand.Read(t.nonce[:]) // never fails
	t.extensions = t.Extensions == "on" || t.Extensions == "auto" && t.info.Kind != engine.OpenAI
	if t.info.TokenIDs {
		ids, err := t.engine.Tokenize(ctx, t.info.Model, probe)
		if err != nil {
			return err
		}
		t.asked = append(t.asked, results.Asked{PromptTokens: len(ids), OutputTokens: 1})
	}
	if !t.info.TokenIDs || t.Endpoint == client.Chat.String() {
		if t.Prompts == "" {
			return fmt.Errorf("%s is sent prompts of text here: name a folder of them, as in server({prompts: \"testdata/prompts\"})", t.info.URL)
		}
		var err error
		t.prompts, err = prompt.FromText(os.DirFS(t.Prompts), t.nonce)
		return err
	}
	ids, err := t.engine.Tokenize(ctx, t.info.Model, prompt.Words)
	if err != nil {
		return err
	}
	t.prompts, err = prompt.FromIDs(ids, t.nonce)
	return err
}

// request is one of so many tokens.
func (t *target) request(promptTokens, outputTokens int) client.Request {
	p := t.prompts.Next(promptTokens)
	r := client.Request{
		IDs: p.IDs, Text: p.Text, PromptTokens: p.Tokens, OutputTokens: outputTokens,
		Exact: t.extensions, Extensions: t.extensions, ContinuousUsage: t.ContinuousUsage,
	}
	if t.Endpoint == client.Chat.String() {
		r.Endpoint = client.Chat
	}
	if t.extensions {
		r.CacheSalt = p.Salt
	}
	return r
}

// header is the record's.
func (t *target) header(i *results.Instance) (results.Header, error) {
	server, err := json.Marshal(t.info)
	if err != nil {
		return results.Header{}, fmt.Errorf("encoding what the server says of itself: %w", err)
	}
	return results.Header{
		Epoch: t.client.Epoch(), Nonce: hex.EncodeToString(t.nonce[:]), Server: server,
		Flags:  map[string]string{"endpoint": t.Endpoint, "extensions": t.Extensions, "priority": strconv.FormatBool(t.Priority == "on"), "first-token-timeout": t.FirstToken, "stall-timeout": t.Stall},
		Stamps: string(t.client.Stamps()), Simulated: t.info.Kind == engine.VLLMSim, Instance: i,
	}, nil
}
