package merge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// own are flags that are each process's, and change nothing of what is measured.
var own = []string{"record", "metrics-listen", "seed", "progress"}

// differs refuses an instance that is not of the first one's load.
func (i *instance) differs(first *instance) error {
	differ := func(what, mine, theirs string) error {
		return fmt.Errorf("%s has %s %s, and %s has %s: merge instances of one load", i.name, what, cmp.Or(mine, "unknown"), first.name, cmp.Or(theirs, "unknown"))
	}
	a, b := &i.Header, &first.Header
	for _, name := range slices.Sorted(maps.Keys(union(a.Flags, b.Flags))) {
		if a.Flags[name] != b.Flags[name] && !slices.Contains(own, name) {
			return differ("flag "+name, a.Flags[name], b.Flags[name])
		}
	}
	for _, c := range [][3]string{
		{"a server of kind", string(i.info.Kind), string(first.info.Kind)},
		{"the server", i.info.URL, first.info.URL},
		{"the model", i.info.Model, first.info.Model},
		{"a server of version", i.info.Version, first.info.Version},
		{"server settings", strings.Join(i.info.Settings(), " "), strings.Join(first.info.Settings(), " ")},
	} {
		if c[1] != c[2] {
			return differ(c[0], c[1], c[2])
		}
	}
	return nil
}

// twin refuses what is not another instance's.
func (i *instance) twin(other *instance) error {
	switch {
	case i.Header.Nonce != "" && i.Header.Nonce == other.Header.Nonce:
		return fmt.Errorf("%s and %s are one record (they have one nonce): name each once", other.name, i.name)
	case i.name == other.name:
		return fmt.Errorf("two records are of %s: name those of one load, each instance once", i.name)
	case (i.segment == nil) != (other.segment == nil):
		return fmt.Errorf("one of %s and %s has a segment of the load and the other has all of it: merge instances of one load", other.name, i.name)
	case i.segment != nil && i.segment.overlaps(other.segment):
		return fmt.Errorf("%s (%s) and %s (%s) share a part of the load: merge instances of one load", other.name, other.segment, i.name, i.segment)
	}
	return nil
}

func union(a, b map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}
