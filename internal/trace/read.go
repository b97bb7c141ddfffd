package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	mooncakeBlock = 512     // tokens
	maxScale      = 1e9     // beyond it any two arrivals are years apart
	maxTokens     = 1 << 30 // in one prompt or output; any more is a mistake in the file
	lookAhead     = 1 << 16 // bytes in which a file shows its format
)

// ReadFile reads the file of a name. An error has that name.
func ReadFile(name string, o Options) (*Trace, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the trace: %w", err)
	}
	defer f.Close()
	t, err := Read(f, o)
	if err != nil {
		return nil, fmt.Errorf("reading the trace %s: %w", name, err)
	}
	return t, nil
}

// FormatOf tells the format of the file of a name by its first line, and fails if it is none.
func FormatOf(name string) (Format, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("opening the trace: %w", err)
	}
	defer f.Close()
	br, err := plain(f)
	if err != nil {
		return "", err
	}
	return detect(br)
}

// Read reads a trace, plain or compressed by gzip.
//
// Its requests are sorted by time. It fails at the first line that is not of the
// format, and names it; also if no request is left.
func Read(r io.Reader, o Options) (*Trace, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	br, err := plain(r)
	if err != nil {
		return nil, err
	}
	format := o.Format
	if format == "" {
		if format, err = detect(br); err != nil {
			return nil, err
		}
	}
	if o.Block == 0 {
		o.Block = mooncakeBlock
	}
	next, err := open(br, format, o.Block)
	if err != nil {
		return nil, err
	}
	c := cutter{options: o}
	for {
		request, err := next()
		if errors.Is(err, io.EOF) {
			return c.trace(format, o.Block)
		}
		if err == nil {
			err = c.add(request)
		}
		if err != nil {
			return nil, err
		}
	}
}

// open returns what reads one request after another and then returns io.EOF.
// Their times count from a common instant.
func open(r io.Reader, format Format, block int) (next func() (Request, error), err error) {
	switch format {
	case Mooncake:
		return mooncakeLines(r, block), nil
	case Azure:
		return table(r, Azure, azureTime, "TIMESTAMP", "ContextTokens", "GeneratedTokens")
	case BurstGPT:
		return table(r, BurstGPT, seconds, "Timestamp", "Request tokens", "Response tokens")
	}
	return nil, fmt.Errorf("%q is no trace format: name %s, %s or %s", format, Mooncake, Azure, BurstGPT)
}

// plain undoes a compression and drops a byte order mark.
func plain(r io.Reader) (*bufio.Reader, error) {
	br := bufio.NewReaderSize(r, lookAhead)
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("uncompressing: %w", err)
		}
		br = bufio.NewReaderSize(z, lookAhead)
	}
	const mark = "\ufeff"
	if b, _ := br.Peek(len(mark)); string(b) == mark {
		_, _ = br.Discard(len(mark)) // it is in the buffer
	}
	return br, nil
}

// detect tells the format by the first line that is not blank.
func detect(r *bufio.Reader) (Format, error) {
	b, err := r.Peek(lookAhead)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the first line: %w", err)
	}
	b = bytes.TrimSpace(b)
	line, _, _ := bytes.Cut(b, []byte("\n"))
	switch {
	case len(b) == 0:
		return "", errors.New("the trace is empty")
	case b[0] == '{':
		return Mooncake, nil
	case bytes.Contains(line, []byte("ContextTokens")):
		return Azure, nil
	case bytes.Contains(line, []byte("Request tokens")):
		return BurstGPT, nil
	}
	return "", fmt.Errorf("line 1 %.60q is neither a JSON object (%s) nor a header with ContextTokens (%s) or Request tokens (%s): "+
		"convert it to one of these", line, Mooncake, Azure, BurstGPT)
}
