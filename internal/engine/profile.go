package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// flushing is how long a server may take to write its traces.
const flushing = 10 * time.Minute

// StartProfile turns the server's profiler on, which slows everything: never
// within a measured run. It fails if the server has none.
func (c *Client) StartProfile(ctx context.Context) error {
	return c.profile(ctx, "/start_profile")
}

// StopProfile turns the profiler off and returns when its traces are written.
func (c *Client) StopProfile(ctx context.Context) error {
	return c.profile(ctx, "/stop_profile")
}

func (c *Client) profile(ctx context.Context, path string) error {
	a, err := c.post(ctx, path, struct{}{}, flushing)
	switch {
	case err != nil:
		return err
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s has no profiler: start vLLM with --profiler-config '{\"profiler\":\"torch\",\"torch_profiler_dir\":\"DIR\"}'", a.base)
	case a.status != http.StatusOK:
		return c.refused("POST "+path, a)
	}
	return nil
}

// ProfileDir is the folder on the server's host that its profiler writes to,
// or "" if the server does not tell.
func (i *Info) ProfileDir() string {
	var info struct {
		Config struct {
			Profiler struct {
				Dir string `json:"torch_profiler_dir"`
			} `json:"profiler_config"`
		} `json:"vllm_config"`
	}
	_ = json.Unmarshal(i.ServerInfo, &info) // older releases have a text there
	return info.Config.Profiler.Dir
}
