package client

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const senderEnv = "CLIENT_TEST_SENDER" // set in the process that is a sender: its configuration

func TestMain(m *testing.M) {
	if config := os.Getenv(senderEnv); config != "" {
		senderMain(config)
		return
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	fuzzing := flag.Lookup("test.fuzz").Value.String() != "" // it keeps a goroutine of its own
	if code == 0 && !fuzzing && !settles(before) {
		fmt.Fprintln(os.Stderr, "goroutines are left over from the tests:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// settles waits until no more than n goroutines are left: those of closed
// connections end soon, but after the call that closed them.
func settles(n int) bool {
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-deadline:
			return false
		case <-tick.C:
			if runtime.NumGoroutine() <= n {
				return true
			}
		}
	}
}

// startSender runs a sender until the test ends, and returns its URL and process id.
func startSender(tb testing.TB, cfg senderConfig) (url string, pid int) {
	tb.Helper()
	config, err := json.Marshal(cfg)
	require.NoError(tb, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), senderEnv+"="+string(config), "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(tb, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	tb.Cleanup(func() {
		stdin.Close()
		require.NoError(tb, cmd.Wait())
	})
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(tb, err, "the sender's address")
	return "http://" + strings.TrimSpace(addr), cmd.Process.Pid
}
