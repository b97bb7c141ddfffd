package engine

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"vllmbench/internal/secret"
)

// A Kind is a sort of server.
type Kind string

const (
	VLLM     Kind = "vllm"              // answers /version, and has vllm: metrics or owns its models
	VLLMSim  Kind = "vllmsim"           // the embedded server, by its header Server
	LlamaCPP Kind = "llama.cpp"         // llama.cpp's own server, by its header Server
	OpenAI   Kind = "openai-compatible" // any other that answers /v1/models
)

// Info is what a server says of itself before a run. All of its words are
// printable, and the API key is in none of them.
type Info struct {
	URL         string            `json:"url"` // base URL, without a trailing "/" or "/v1"
	Kind        Kind              `json:"kind"`
	Version     string            `json:"version,omitempty"`
	Model       string            `json:"model"`                   // as requests have to name it
	Root        string            `json:"root,omitempty"`          // where the server has the model from
	MaxModelLen int               `json:"max_model_len,omitempty"` // tokens of prompt and output together; 0: unknown
	TokenIDs    bool              `json:"token_ids"`               // takes prompts of token ids
	Counters    bool              `json:"counters,omitempty"`      // has vLLM's or llama.cpp's counters in /metrics
	Uncounted   []string          `json:"uncounted,omitempty"`     // what these lack for a ledger: "preemptions", ...
	Untimed     bool              `json:"untimed,omitempty"`       // there are counters, but no histograms of TTFT and ITL
	CacheConfig map[string]string `json:"cache_config,omitempty"`  // labels of vllm:cache_config_info
	ServerInfo  json.RawMessage   `json:"server_info,omitempty"`   // vLLM's /server_info
	NotOffered  []string          `json:"not_offered,omitempty"`   // "GET /version (404 Not Found)", ...
}

// Discover asks the server what it is and what it offers for model, or for
// the first model that it serves if model is "". It sends one completion of
// one token to learn whether the server takes token ids, which its counters show.
//
// It fails if the server does not answer /v1/models or does not serve model;
// anything else that is missing is left unknown and named in Info.NotOffered.
func (c *Client) Discover(ctx context.Context, model string) (*Info, error) {
	a, err := c.get(ctx, "/v1/models")
	if err != nil {
		return nil, err
	}
	served, err := c.served(a)
	if err != nil {
		return nil, err
	}
	m, err := choose(served, a.base, model)
	if err != nil {
		return nil, err
	}
	i := &Info{URL: a.base, Kind: OpenAI, Model: m.ID, Root: c.clean(m.Root), MaxModelLen: cmp.Or(m.MaxModelLen, m.Meta.Context)}
	version := c.version(ctx, i)
	c.serverInfo(ctx, i)
	c.tokens(ctx, i)
	c.counters(ctx, i)
	switch {
	case strings.HasPrefix(a.server, string(VLLMSim)):
		i.Kind = VLLMSim
	case a.server == string(LlamaCPP):
		i.Kind = LlamaCPP
	case version && (i.Counters || m.OwnedBy == string(VLLM)):
		i.Kind = VLLM
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("asking %s: %w", a.base, ctx.Err())
	}
	return i, nil
}

// version reads /version, and says whether the server has one.
func (c *Client) version(ctx context.Context, i *Info) bool {
	var v struct{ Version string }
	if !c.optional(ctx, i, "/version", "", &v) {
		return false
	}
	i.Version = c.clean(v.Version)
	return i.Version != ""
}

// serverInfo keeps /server_info, which vLLM offers in development mode only.
func (c *Client) serverInfo(ctx context.Context, i *Info) {
	var raw json.RawMessage
	if !c.optional(ctx, i, "/server_info", "?config_format=json", &raw) {
		return
	}
	if c.echoes(raw) {
		i.NotOffered = append(i.NotOffered, "GET /server_info (it holds the API key, so it is not kept)")
		return
	}
	i.ServerInfo = escape(raw)
}

// echoes says whether a JSON value holds the API key, as it is or escaped.
func (c *Client) echoes(raw json.RawMessage) bool {
	if secret.Within(string(raw), c.APIKey) {
		return true
	}
	tokens := json.NewDecoder(bytes.NewReader(raw))
	for {
		t, err := tokens.Token()
		if text, ok := t.(string); ok && secret.Within(text, c.APIKey) {
			return true
		}
		if err != nil { // the end: raw was decoded before
			return false
		}
	}
}

// counters finds out whether the server has vLLM's counters, and which are
// missing, and keeps the labels of vllm:cache_config_info.
func (c *Client) counters(ctx context.Context, i *Info) {
	a, err := c.get(ctx, "/metrics")
	var p page
	if err == nil {
		p, err = c.page(a)
	}
	if err != nil {
		c.missing(i, "GET /metrics", err)
		return
	}
	if i.Counters = p.speaks("vllm:") || p.speaks(llamaFamilies); !i.Counters {
		i.NotOffered = append(i.NotOffered, "vllm: families in GET /metrics (counters and histograms are unknown)")
		return
	}
	i.CacheConfig = p.labels("vllm:cache_config_info", c.clean)
	all := p.only(i.Model).counters()
	i.Untimed = !all.TTFT.Known || !all.ITL.Known
	if i.Uncounted = all.unknown(); len(i.Uncounted) > 0 {
		i.NotOffered = append(i.NotOffered, fmt.Sprintf("counters in GET /metrics of %s", strings.Join(i.Uncounted, ", ")))
	}
}

// optional decodes the answer to a GET into out, or notes why there is none.
func (c *Client) optional(ctx context.Context, i *Info, path, query string, out any) bool {
	a, err := c.get(ctx, path+query)
	if err == nil {
		err = c.decode(a, out)
	}
	if err != nil {
		c.missing(i, "GET "+path, err)
	}
	return err == nil
}

// missing notes that a question found no answer, and why.
func (c *Client) missing(i *Info, question string, err error) {
	i.NotOffered = append(i.NotOffered, fmt.Sprintf("%s (%v)", question, err))
}
