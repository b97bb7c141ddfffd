package report

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// TestBrowserDrawsEveryPlot opens a page in Chromium. The page's script notes
// on its root how many plots it drew, and every error and forbidden request.
func TestBrowserDrawsEveryPlot(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium")
	}
	s := shape{model: hostile, repetitions: 6, seqs: 8, requests: 3, samples: 5}
	r, err := New(append(many(t, 2, s), spoilt(t), loaded()))
	require.NoError(t, err)
	pictures, err := r.pictures("svg")
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, r.HTML(&text, pictures))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o666))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	page := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(), "--dump-dom", page.String()).Output()
	require.NoError(t, err)
	doc, err := html.Parse(strings.NewReader(string(out)))
	require.NoError(t, err)
	plots := 0
	for n := range doc.Descendants() {
		if n.Data == "html" && n.Type == html.ElementNode {
			assert.Empty(t, attribute(n, "data-errors"))
			assert.NotEqual(t, "0", attribute(n, "data-drawn"))
			plots, err = strconv.Atoi(attribute(n, "data-drawn"))
			require.NoError(t, err)
		}
		if n.Data == "figure" {
			plots--
			assert.Equal(t, "drawn", attribute(n, "class"), attribute(n, "id"))
		}
	}
	assert.Zero(t, plots, "as many plots as figures")
}
