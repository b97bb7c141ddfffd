package monitor

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"vllmbench/gpuprobe"
	"vllmbench/internal/engine"
	"vllmbench/internal/trust"
)

// minInterval keeps the reads off the driver's lock and the server's event loop.
const minInterval = 200 * time.Millisecond

// Config says what to watch and how to show it.
type Config struct {
	URL, APIKey string        // "": no server; no key
	GPU         string        // gpuprobe.Open's spec; "": auto, or the embedded server's exporter
	Interval    time.Duration // between reads; 0: 1 s, at least 0.2 s
	Log         string        // CSV file to write, "": none
	Force       bool          // overwrite Log
	Trust       trust.Trust   // whose certificates are believed, of server and exporter
	Plain       bool          // print lines although out is a terminal
	NoColour    bool
}

// Run watches until ctx ends or the user quits, and prints a summary. Out is
// drawn on if it is a terminal that can be, else it gets lines. It fails if
// there is nothing to watch, and if out or the log cannot be written.
func Run(ctx context.Context, c Config, out io.Writer) error {
	if c.Interval == 0 {
		c.Interval = time.Second
	}
	if c.Interval < minInterval {
		return fmt.Errorf("interval %v would slow what it watches: give -interval %v or more", c.Interval, minInterval)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer w.close()
	se := &session{state: NewState(w.Subject, time.Now())}
	if c.Log != "" {
		if se.log, err = createTimeline(c.Log, c.Force); err != nil {
			return err
		}
	}
	width, drawn := screenOf(out, c)
	if drawn {
		err = se.draw(ctx, &w.poller, out, !c.NoColour)
	} else {
		err = se.print(ctx, &w.poller, &plain{w: out, width: width})
	}
	if se.log != nil {
		err = cmp.Or(err, se.log.close())
	}
	if err != nil {
		return err
	}
	prefix := ""
	if !drawn {
		prefix = "# "
	}
	_, err = io.WriteString(out, prefix+strings.Join(se.state.Summary(), "\n"+prefix)+"\n")
	return err
}

// screenOf returns the width of out and whether it can be drawn on.
func screenOf(out io.Writer, c Config) (width int, drawn bool) {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 80
	}
	return width, !c.Plain && os.Getenv("TERM") != "dumb"
}

// A watch is what Run reads.
type watch struct {
	Subject
	poller
	probe *gpuprobe.Probe
}

func (w *watch) close() {
	if w.probe != nil {
		w.probe.Close() // nothing can be done about a source that does not close
	}
}

// open finds the server and the GPU.
func open(ctx context.Context, c Config) (*watch, error) {
	w := &watch{Subject: Subject{URL: c.URL, Interval: c.Interval}, poller: poller{interval: c.Interval}}
	conf, err := c.Trust.TLS()
	if err != nil {
		return nil, err
	}
	w.Insecure = c.Trust.Insecure
	if c.URL != "" {
		asks := trust.Client(conf)
		named := &serverName{next: asks.Transport}
		asks.Transport = named
		client := &engine.Client{URL: c.URL, APIKey: c.APIKey, HTTP: asks}
		first, err := client.Snapshot(ctx, "")
		if err != nil {
			return nil, err
		}
		if first.Engines == 0 && !first.GenerationTokens.Known {
			return nil, fmt.Errorf("%s has no metrics of vLLM's: give the URL of a vLLM server with -url or VLLM_BASE_URL", c.URL)
		}
		w.server = client
		w.Simulated = named.simulated()
	}
	return w, w.openGPU(ctx, c, conf)
}

func (w *watch) openGPU(ctx context.Context, c Config, conf *tls.Config) error {
	spec := c.GPU
	own := spec == "" && w.Simulated
	switch {
	case own:
		spec = "dcgm=" + strings.TrimSuffix(strings.TrimRight(c.URL, "/"), "/v1") + "/dcgm/metrics"
	case spec == "":
		spec = "auto"
	}
	probe, err := gpuprobe.OpenTLS(ctx, spec, conf)
	if own && err != nil {
		w.NoGPU = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	state := probe.State()
	if w.GPUs = probe.Devices(); len(w.GPUs) == 0 {
		w.NoGPU = state.String()
		if w.server == nil {
			return fmt.Errorf("nothing to watch, neither a server nor a GPU (%s): give -url or VLLM_BASE_URL, or -gpu nvml or dcgm=URL", state)
		}
		return nil
	}
	w.probe, w.gpu = probe, probe
	w.Source = source(state, w.Subject)
	for _, d := range w.GPUs {
		w.Simulated = w.Simulated || d.Simulated
	}
	probe.Start(c.Interval)
	return nil
}

// source says whose the GPUs are. NVML tells of this machine's, which need not be the server's.
func source(state gpuprobe.State, s Subject) string {
	if state.Name != gpuprobe.StateNVML {
		if host := s.GPUs[0].Host; host != "" {
			return "DCGM exporter of " + host
		}
		return "DCGM exporter"
	}
	if s.URL == "" {
		return "this machine's"
	}
	return "this machine's (the server's, if it runs here)"
}

// A serverName is a transport that keeps the header Server of the last
// answer. Engine's Discover would tell more, but it sends a request, which a
// benchmark that runs meanwhile would find in the server's counters.
type serverName struct {
	next http.RoundTripper
	name atomic.Value
}

func (n *serverName) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(req)
	if err == nil {
		n.name.Store(resp.Header.Get("Server"))
	}
	return resp, err
}

func (n *serverName) simulated() bool {
	name, _ := n.name.Load().(string)
	return strings.HasPrefix(name, string(engine.VLLMSim))
}
