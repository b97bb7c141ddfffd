package bench

import (
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/internal/vllmsim"
)

// A dashboard is what is read of Grafana's JSON.
type dashboard struct {
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
	Panels []struct {
		ID      int
		Title   string
		Type    string
		GridPos struct{ X, Y, W, H int }
		Targets []struct {
			RefID   string
			Expr    string
			Instant bool
		}
	}
}

func openDashboard(t *testing.T) *dashboard {
	t.Helper()
	text, err := os.ReadFile(fromRoot("deploy/grafana/vllmbench.json"))
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(text, &d))
	return &d
}

// Panels have each an id and a place of their own, and every series that they
// ask of vLLM is on a real vLLM's page.
func TestDashboardPanels(t *testing.T) {
	page, err := os.ReadFile(fromRoot("internal/engine/testdata/vllm-0.32.0.metrics.txt"))
	require.NoError(t, err)
	named := regexp.MustCompile(`vllm:\w+`)
	ids, taken, series := map[int]string{}, map[[2]int]string{}, 0
	for _, p := range openDashboard(t).Panels {
		assert.Empty(t, ids[p.ID], "%s has the id of another panel", p.Title)
		ids[p.ID] = p.Title
		assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				require.Empty(t, taken[at], "%s lies over another panel", p.Title)
				taken[at] = p.Title
			}
		}
		for _, q := range p.Targets {
			for _, name := range named.FindAllString(q.Expr, -1) {
				assert.Regexp(t, "(?m)^"+name+`\{`, string(page), p.Title)
				series++
			}
		}
	}
	assert.Positive(t, series)
}

// A prometheus is a real one.
type prometheus struct {
	t   *testing.T
	url string
}

// startPrometheus starts the one that is installed with the configuration that
// this repository offers, its targets replaced and its clock made faster.
func startPrometheus(t *testing.T, server, page string) *prometheus {
	t.Helper()
	config, err := os.ReadFile(fromRoot("deploy/prometheus/prometheus.yml"))
	require.NoError(t, err)
	text := strings.NewReplacer(
		"scrape_interval: 5s", "scrape_interval: 250ms", "127.0.0.1:8000", server, "127.0.0.1:9400", server, "127.0.0.1:9464", page,
		"job_name: gpu", "metrics_path: /dcgm/metrics\n    job_name: gpu",
	).Replace(string(config))
	require.Equal(t, 2, strings.Count(text, server))
	require.Contains(t, text, page)
	dir := t.TempDir()
	path := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	cmd := exec.CommandContext(t.Context(), "prometheus", "--config.file="+path, "--storage.tsdb.path="+dir, "--web.listen-address="+address, "--log.level=warn")
	cmd.Stderr = t.Output()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended by then, and the process with it
	p := &prometheus{t, "http://" + address}
	require.Eventually(t, func() bool {
		resp, err := http.Get(p.url + "/-/ready")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond, "Prometheus did not start")
	return p
}

// ask returns data of an answer of its API.
func (p *prometheus) ask(path string, query url.Values, data any) {
	p.t.Helper()
	resp, err := http.Get(p.url + path + "?" + query.Encode())
	require.NoError(p.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, resp.StatusCode, "%s: %s", query, body)
	answer := struct{ Data any }{data}
	require.NoError(p.t, json.Unmarshal(body, &answer))
}

// finite counts the numbers in the answer to a query.
func (p *prometheus) finite(expr string, instant bool, from, to time.Time) (n int) {
	p.t.Helper()
	at := func(x time.Time) string { return strconv.FormatFloat(float64(x.UnixMilli())/1000, 'f', 3, 64) }
	type point [2]any // time, and the value as text
	var data struct {
		Result []struct {
			Value  *point
			Values []point
		}
	}
	if instant {
		p.ask("/api/v1/query", url.Values{"query": {expr}, "time": {at(to)}}, &data)
	} else {
		p.ask("/api/v1/query_range", url.Values{"query": {expr}, "start": {at(from)}, "end": {at(to)}, "step": {"0.5"}}, &data)
	}
	for _, r := range data.Result {
		if r.Value != nil {
			r.Values = append(r.Values, *r.Value)
		}
		for _, v := range r.Values {
			if x, err := strconv.ParseFloat(v[1].(string), 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
				n++
			}
		}
	}
	return n
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// variables asks for the values of the dashboard's variables, as Grafana does
// when All is chosen, and returns what replaces them in its queries.
func (p *prometheus) variables(d *dashboard) (values []string) {
	p.t.Helper()
	values = []string{"$__rate_interval", "2s", "$__range", "10m"}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		var q struct{ Query string }
		require.NoError(p.t, json.Unmarshal(v.Query, &q))
		m := labelValues.FindStringSubmatch(strings.NewReplacer(values...).Replace(q.Query))
		require.NotNil(p.t, m, q.Query)
		var all []string
		p.ask("/api/v1/label/"+m[2]+"/values", url.Values{"match[]": {m[1]}}, &all)
		require.NotEmpty(p.t, all, "variable %s", v.Name)
		for i := range all {
			all[i] = regexp.QuoteMeta(all[i])
		}
		values = append(values, "$"+v.Name, "("+strings.ReplaceAll(strings.Join(all, "|"), `\`, `\\`)+")")
	}
	return values
}

// TestDashboard runs every query of the dashboard against a real Prometheus
// that has watched a run: none may be without an answer.
func TestDashboard(t *testing.T) {
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("prometheus is not installed, so the dashboard's queries are not run: apt-get install prometheus")
	}
	t.Parallel()
	began := time.Now()
	server := simulate(t, vllmsim.Config{})
	c := startChild(t, tiny("-url="+server, "-output=40", "-test.bench=Latency|Throughput", "-test.benchtime=2s", "-gpu=auto", "-limits=merged=1", "-metrics-listen=127.0.0.1:0")...)
	c.await("# metrics: ")
	page, err := url.Parse(c.comments("metrics: ")[0])
	require.NoError(t, err)
	p := startPrometheus(t, strings.TrimPrefix(server, "http://"), page.Host)
	c.end()
	ended := time.Now()
	require.Zero(t, c.status(), c.all())

	d := openDashboard(t)
	replace := strings.NewReplacer(p.variables(d)...)
	queries := 0
	for _, panel := range d.Panels {
		assert.True(t, panel.Type == "row" || len(panel.Targets) > 0, panel.Title)
		for _, q := range panel.Targets {
			expr := replace.Replace(q.Expr)
			assert.NotContains(t, expr, "$", panel.Title)
			n := p.finite(expr, q.Instant, began, ended)
			assert.Positive(t, n, "%s %s: no answer to %s", panel.Title, q.RefID, expr)
			t.Logf("%-30s %s %4d values", panel.Title, q.RefID, n)
			queries++
		}
	}
	assert.Greater(t, queries, 30)
	assert.Zero(t, p.finite(`vllmbench_no_such_series`, false, began, ended), "an empty answer is seen as one")
}
