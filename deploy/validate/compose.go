package validate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// Compose loads a compose file with some of its profiles, against the schema of the Compose specification, and returns
// what docker compose would run. Relative paths in it are of dir.
func Compose(dir, file string, profiles ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithWorkingDirectory(dir), cli.WithProfiles(profiles))
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return project, nil
}

// CheckCompose returns what of a project refers to nothing: files of this repository that are not there, images without a version,
// and ports that others than this host reach.
func CheckCompose(p *types.Project) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for name, s := range p.Services {
		if !tagged.MatchString(s.Image) || strings.HasSuffix(s.Image, ":latest") {
			wrong("service %s: image %q names no version", name, s.Image)
		}
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				wrong("service %s: volume: %w", name, err)
			}
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				wrong("service %s: port %s is open to others than this host", name, port.Published)
			}
		}
	}
	return errors.Join(errs...)
}

// Names returns the names under which the services of a project find each other.
func Names(p *types.Project) map[string]bool {
	names := map[string]bool{}
	for name, s := range p.Services {
		names[name] = true
		for _, n := range s.Networks {
			if n != nil {
				for _, alias := range n.Aliases {
					names[alias] = true
				}
			}
		}
	}
	return names
}
