package ab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// switchTo runs the side's switch command and waits until its server answers.
// What the command says goes to switch.log in dir.
func (c *Config) switchTo(ctx context.Context, s Side) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.SwitchTimeout, fmt.Errorf("it took longer than %v, the switch timeout", c.SwitchTimeout))
	defer cancel()
	said, err := c.command(ctx, s)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("switching to %s: %w", s.Name, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("the switch command of %s failed (%w): see %s%s", s.Name, err, filepath.Join(c.Dir, "switch.log"), said)
	}
	if err := await(ctx, c.HTTP, s.URL, c.APIKey); err != nil {
		return fmt.Errorf("switched to %s, but no server answers at %s (%w): make the command start it, or raise the switch timeout", s.Name, s.URL, err)
	}
	return nil
}

// command runs the switch command, and returns the last line that it said.
func (c *Config) command(ctx context.Context, s Side) (said string, err error) {
	// A file, not a pipe: a server that the command leaves behind may hold it for ever.
	log, err := os.OpenFile(filepath.Join(c.Dir, "switch.log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return "", err
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	cmd := shell(ctx, s.Switch)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = log, log, patience
	err = cmd.Run()
	text, readErr := io.ReadAll(io.NewSectionReader(log, from, 1<<20))
	if line := lastLine(string(text)); readErr == nil && line != "" {
		said = ", which ends with: " + line
	}
	return said, err
}

// await asks until the server answers, or ctx ends.
func await(ctx context.Context, client *http.Client, url, key string) error {
	const pause = 200 * time.Millisecond
	for {
		err := answers(ctx, client, url, key)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; before: %v", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// answers returns why the server does not answer /health or, if it does not know that, /v1/models.
func answers(ctx context.Context, client *http.Client, url, key string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	base := strings.TrimSuffix(strings.TrimSuffix(url, "/"), "/v1")
	status, err := get(ctx, client, base+"/health", key)
	if err == nil && status == http.StatusNotFound {
		status, err = get(ctx, client, base+"/v1/models", key)
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("it answers with status %d", status)
	}
	return err
}

// get asks for a page and returns the status of the answer.
func get(ctx context.Context, client *http.Client, url, key string) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	req.Close = true // a kept connection would go to the server before the switch
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}
