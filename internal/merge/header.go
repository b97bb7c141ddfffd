package merge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vllmbench/client"
	"vllmbench/internal/results"
)

// unknown stands for what a record does not tell, where the program that merges would else tell its own.
const unknown = "unknown"

// header is the merged run's.
func (m *merger) header() results.Header {
	first := m.all[0].Header
	h := results.Header{
		Started: first.Started, Epoch: m.epoch, Environment: m.environment(), Server: first.Server, Flags: first.Flags,
		Stamps: string(client.KernelStamps), Simulated: first.Simulated,
		Merged: &results.Merged{Hosts: m.hosts(), ClockError: m.clockError(), Lost: m.lost, Ledger: m.books.accounts},
	}
	var nonces, from []string
	devices := false
	for _, i := range m.all {
		if i.Header.Started.Before(h.Started) {
			h.Started = i.Header.Started
		}
		if i.died == "" && i.Header.Stamps != h.Stamps {
			h.Stamps = string(client.UserStamps)
		}
		nonces = append(nonces, i.Header.Nonce)
		devices = devices || len(i.Header.Devices) > 0
		part := results.Part{Instance: i.name, Environment: i.Header.Environment, Stamps: i.Header.Stamps, Shift: i.shift}
		name := i.name
		if i.segment != nil {
			part.Segment = i.segment.String()
			name += " (" + part.Segment + ")"
		}
		for _, row := range i.Rows {
			part.Rows = append(part.Rows, row.Measured)
		}
		h.Merged.Instances = append(h.Merged.Instances, part)
		if i.died == "" {
			from = append(from, name)
		}
	}
	h.Nonce = strings.Join(nonces, "+")
	h.Merged.Notes = append([]string{"merged from " + strings.Join(from, ", ")}, m.notes...)
	if devices {
		h.Merged.Notes = append(h.Merged.Notes, "gpu: what instances saw of GPUs is not merged")
	}
	return h
}

// environment is that of all hosts: what differs stands side by side, and processors add up.
func (m *merger) environment() (e results.Environment) {
	join := func(field func(*results.Environment) *string) {
		var values []string
		for _, i := range m.all {
			v := cmp.Or(*field(&i.Header.Environment), unknown)
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		*field(&e) = strings.Join(values, " and ")
	}
	for _, field := range []func(*results.Environment) *string{
		func(e *results.Environment) *string { return &e.OS },
		func(e *results.Environment) *string { return &e.Arch },
		func(e *results.Environment) *string { return &e.CPU },
		func(e *results.Environment) *string { return &e.Kernel },
		func(e *results.Environment) *string { return &e.Go },
		func(e *results.Environment) *string { return &e.Commit },
		func(e *results.Environment) *string { return &e.Boot },
	} {
		join(field)
	}
	seen := map[string]bool{}
	var parts []*part
	for n, i := range m.all {
		parts = append(parts, &part{instance: i})
		host := cmp.Or(i.Header.Environment.Boot, fmt.Sprint(n))
		if !seen[host] {
			e.Cores += i.Header.Environment.Cores
		}
		seen[host] = true
	}
	e.Procs = procs(parts)
	return e
}
