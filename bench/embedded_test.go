package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"

	"vllmbench/internal/vllmsim"
)

// childEnv marks a process of this binary as the embedded server. It is a
// process of its own so that its CPU time and garbage are not the client's.
const childEnv = "VLLMBENCH_EMBEDDED"

// embeddedMain runs the embedded server if this process is to be one.
func embeddedMain() {
	if os.Getenv(childEnv) != "" {
		os.Exit(vllmsim.Main([]string{"--port", "0", "--exit-with-stdin"}, os.Stdout, os.Stderr))
	}
}

var listening = regexp.MustCompile(`listening on (http://\S+)`)

// startEmbedded starts the embedded server. It ends when stop is called, or this process ends.
func startEmbedded() (url string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, fmt.Errorf("starting the embedded server: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	stdin, err := cmd.StdinPipe() // the server lives as long as its other end
	if err != nil {
		return "", nil, fmt.Errorf("starting the embedded server: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, fmt.Errorf("starting the embedded server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("starting the embedded server: %w", err)
	}
	stop = func() {
		stdin.Close()
		_ = cmd.Wait() // its exit status says nothing of the measurement
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	m := listening.FindStringSubmatch(line)
	if m == nil {
		stop()
		return "", nil, fmt.Errorf("the embedded server did not start: it said %q (%v)", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }()
	return m[1], stop, nil
}
