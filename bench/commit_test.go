package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gitTime bounds what git may take: a run does not wait for a slow disk.
const gitTime = 2 * time.Second

// commit is the revision of the harness, "+dirty" if what is built into it
// was changed since, "" if it is not known. Go stamps no test binary; but go
// test has built this one from the working tree a moment ago, which git can
// describe. A binary that was kept (go test -c) may be older than that tree.
func commit(ctx context.Context, executable, root string) string {
	if !strings.Contains(filepath.ToSlash(executable), "/go-build") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	git := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "git", append([]string{"--no-optional-locks", "-C", root}, args...)...)
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	head, err := git("rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	changed, err := git("status", "--porcelain", "--", "*.go", "go.mod", "go.sum", "testdata")
	if err != nil {
		return ""
	}
	if changed != "" {
		return head + "+dirty"
	}
	return head
}

func TestCommit(t *testing.T) {
	root := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", root, "-c", "user.name=n", "-c", "user.email=n@example.org"}, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	built := filepath.Join(os.TempDir(), "go-build12", "b001", "bench.test")
	assert.Empty(t, commit(t.Context(), built, root), "no repository")

	git("init", "-q")
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o666))
	}
	write("a.go", "package a\n")
	git("add", "a.go")
	git("commit", "-q", "-m", "a")
	head := git("rev-parse", "HEAD")
	assert.Equal(t, head, commit(t.Context(), built, root))
	assert.Empty(t, commit(t.Context(), filepath.Join(root, "bench.test"), root), "a binary that was kept")
	write("baseline.txt", "a run's output changes no code\n")
	assert.Equal(t, head, commit(t.Context(), built, root))
	write("a.go", "package b\n")
	assert.Equal(t, head+"+dirty", commit(t.Context(), built, root))

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Empty(t, commit(ended, built, root))
}

// fromRoot returns a path that is meant from the repository's root: go test
// runs in the folder of the package, a test binary anywhere.
func fromRoot(path string) string {
	if _, err := os.Stat("../go.mod"); err != nil || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join("..", path)
}
