package vllmsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A LoRAAdapter is served under a name of its own. It costs nothing here, and
// any number of them run at a time; in vLLM --max-loras bounds these.
type LoRAAdapter struct{ Name, Path string }

// addAdapter reads a value of --lora-modules.
func (c *Config) addAdapter(s string) error {
	name, path, ok := strings.Cut(s, "=")
	if !ok || name == "" || path == "" {
		return errors.New("write it as name=path")
	}
	c.LoRAModules = append(c.LoRAModules, LoRAAdapter{name, path})
	return nil
}

func (s *settings) checkAdapters() error {
	if len(s.LoRAModules) > 0 && !s.EnableLoRA {
		return errors.New("there are lora-modules, but LoRA is not enabled: add --enable-lora")
	}
	for i, a := range s.LoRAModules {
		taken := func(other LoRAAdapter) bool { return other.Name == a.Name }
		if a.Name == s.ServedModelName || slices.ContainsFunc(s.LoRAModules[:i], taken) {
			return fmt.Errorf("lora-modules names %q, which is served already: give the adapter another name", a.Name)
		}
	}
	return nil
}

// serves says whether the name is that of the model or of an adapter.
func (s *settings) serves(name string) bool {
	return name == s.ServedModelName || slices.ContainsFunc(s.LoRAModules, func(a LoRAAdapter) bool { return a.Name == name })
}

// parseModel reads which model is asked for. Adapters compute other keys and
// values, so what one has in the prefix cache is none of the others'.
func (s *Server) parseModel(f *fields, g *generation) *apiError {
	g.modelJSON = s.modelJSON
	model, named := f.str("model")
	switch {
	case !named || f.err != nil || model == s.ServedModelName:
		return nil
	case !s.serves(model):
		return noSuchModel(model, s.ServedModelName)
	}
	raw, _ := json.Marshal(model) // strings marshal
	g.modelJSON = string(raw)
	g.salt = model + "\x00" + g.salt
	return nil
}
