package results

import (
	"cmp"
	"runtime"
	"runtime/debug"
)

// filled returns e with its zero fields filled in as far as the system tells.
func (e Environment) filled() Environment {
	e.OS = cmp.Or(e.OS, runtime.GOOS)
	e.Arch = cmp.Or(e.Arch, runtime.GOARCH)
	e.CPU = cmp.Or(e.CPU, cpuModel())
	e.Cores = cmp.Or(e.Cores, runtime.NumCPU())
	e.Kernel = cmp.Or(e.Kernel, kernel())
	e.Go = cmp.Or(e.Go, runtime.Version())
	e.Procs = cmp.Or(e.Procs, runtime.GOMAXPROCS(0))
	e.Boot = cmp.Or(e.Boot, boot())
	if build, ok := debug.ReadBuildInfo(); ok {
		e.Commit = cmp.Or(e.Commit, commit(build.Settings))
	}
	return e
}

// commit is the revision that a build was made from.
func commit(settings []debug.BuildSetting) string {
	var revision, dirty string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}
