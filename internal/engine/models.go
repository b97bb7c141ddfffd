package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const maxListed = 5 // models that an error lists

// A served is one entry of /v1/models.
type served struct {
	ID          string `json:"id"`
	OwnedBy     string `json:"owned_by"`
	Root        string `json:"root"`
	MaxModelLen int    `json:"max_model_len"` // vLLM's; null or absent elsewhere
	Meta        struct {
		Context int `json:"n_ctx"` // llama.cpp's, tokens of one request
	} `json:"meta"`
}

// served reads the models out of an answer to GET /v1/models.
func (c *Client) served(a *answer) ([]served, error) {
	if a.status != http.StatusOK {
		return nil, c.refused("GET /v1/models", a)
	}
	var list struct{ Data []served }
	if json.Unmarshal(a.body, &list) != nil || list.Data == nil {
		return nil, fmt.Errorf("%s is not an OpenAI-compatible server (GET /v1/models answers %q): give the URL that /v1/models is under with -url or VLLM_BASE_URL",
			a.base, c.clean(string(a.body)))
	}
	// A name goes into requests as it is and into output lines, so one that
	// would have to be changed for printing cannot be used.
	usable := slices.DeleteFunc(list.Data, func(m served) bool { return m.ID == "" || c.clean(m.ID) != m.ID })
	if len(usable) == 0 {
		return nil, fmt.Errorf("%s serves no model with a printable name: see how it was started, or %s", a.base, otherURL)
	}
	return usable, nil
}

// Serves fails with one sentence if one of models is not served.
func (c *Client) Serves(ctx context.Context, models ...string) error {
	if len(models) == 0 {
		return nil
	}
	a, err := c.get(ctx, "/v1/models")
	if err != nil {
		return err
	}
	all, err := c.served(a)
	if err != nil {
		return err
	}
	for _, m := range models {
		if _, err := choose(all, a.base, m); err != nil {
			return err
		}
	}
	return nil
}

// choose finds model, or the first if model is "".
func choose(all []served, base, model string) (served, error) {
	if model == "" {
		return all[0], nil
	}
	if i := slices.IndexFunc(all, func(m served) bool { return m.ID == model }); i >= 0 {
		return all[i], nil
	}
	var names []string
	for _, m := range all[:min(len(all), maxListed)] {
		names = append(names, m.ID)
	}
	list := strings.Join(names, ", ")
	if more := len(all) - len(names); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return served{}, fmt.Errorf("model %q is not served at %s, which serves %s: choose one with -model or -models", Clean(model), base, list)
}
