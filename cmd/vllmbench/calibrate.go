package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"vllmbench/client"
	"vllmbench/internal/calibrate"
)

type calibrateOptions struct {
	interval time.Duration
	most     int
	priority bool
	sender   bool
}

func parseCalibrate(args []string, stderr io.Writer) (o calibrateOptions, err error) {
	f := flag.NewFlagSet("vllmbench calibrate", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.DurationVar(&o.interval, "interval", 20*time.Millisecond, "`time` between two tokens of a stream")
	f.IntVar(&o.most, "most", 4096, "most `streams` to try")
	f.BoolVar(&o.priority, "priority", true, "run before other processes where the system allows it, as the benchmarks do")
	f.BoolVar(&o.sender, "sender", false, "be the sender of tokens, until standard input ends")
	f.Usage = func() {
		fmt.Fprint(stderr, "usage: vllmbench calibrate [flags]\n\nSays how many streams this machine can measure: it reads more and more of them from a\n"+
			"sender in a process of its own until a rule takes metrics out of a row. It takes under a minute.\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q: give flags only", f.Arg(0))
	case o.interval < time.Millisecond || o.interval > time.Second:
		err = fmt.Errorf("-interval is %v: name 1ms to 1s", o.interval)
	case o.most < 32:
		err = fmt.Errorf("-most is %d: name 32 streams or more", o.most)
	}
	if err != nil {
		fmt.Fprintf(stderr, "vllmbench calibrate: %v\n", err)
	}
	return o, err
}

// limits prints how many streams this machine can measure.
func limits(args []string, stdout, stderr io.Writer) int {
	o, err := parseCalibrate(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if o.sender {
		err = calibrate.Sender(o.interval, os.Stdin, stdout)
	} else {
		err = o.run(stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "vllmbench calibrate: %v\n", err)
		return 1
	}
	return 0
}

func (o calibrateOptions) run(stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	url, end, err := o.startSender()
	if err != nil {
		return fmt.Errorf("starting the sender of tokens: %w", err)
	}
	defer end()
	runs := "ordinary priority (-priority=false)"
	if o.priority {
		runs = client.Prioritise() // after the sender was started, which must not have it
	}
	fmt.Fprintf(stdout, "client: %s\n\n", runs)
	levels, err := calibrate.Run(ctx, calibrate.Config{
		URL: url, Interval: o.interval, Most: o.most,
		Tried: func(l calibrate.Level) { fmt.Fprintf(stderr, "%d streams: %.0f tok/s\n", l.Streams, l.Tokens) },
	})
	if err != nil {
		return err
	}
	return calibrate.Write(stdout, levels, o.interval)
}

// startSender runs this program as the sender.
func (o calibrateOptions) startSender() (url string, end func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, "calibrate", "-sender", "-interval", o.interval.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe() // the sender lives as long as its other end
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		stdin.Close()
		_ = cmd.Wait() // its exit status says nothing of the client
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		end()
		return "", nil, fmt.Errorf("it told no address: %w", err)
	}
	return strings.TrimSpace(line), end, nil
}
