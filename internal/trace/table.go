package trace

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// table reads CSV whose header has the columns of an instant, the prompt's
// tokens and the output's, among any others.
func table(r io.Reader, format Format, instant func(string) (time.Duration, error), at, prompt, output string) (func() (Request, error), error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the trace is empty")
	}
	if err != nil {
		return nil, csvError(err)
	}
	var columns [3]int
	for i, name := range []string{at, prompt, output} {
		columns[i] = slices.IndexFunc(header, func(s string) bool { return strings.TrimSpace(s) == name })
		if columns[i] < 0 {
			return nil, fmt.Errorf("line 1: the header has no column %s, which the format %s needs", name, format)
		}
	}
	return func() (Request, error) {
		row, err := rows.Read()
		if err != nil {
			return Request{}, csvError(err)
		}
		line, _ := rows.FieldPos(0)
		var q Request
		if q.At, err = instant(strings.TrimSpace(row[columns[0]])); err != nil {
			return Request{}, fmt.Errorf("line %d: %s: %w", line, at, err)
		}
		if q.Prompt, err = tokens(row[columns[1]]); err != nil {
			return Request{}, fmt.Errorf("line %d: %s: %w", line, prompt, err)
		}
		if q.Output, err = tokens(row[columns[2]]); err != nil {
			return Request{}, fmt.Errorf("line %d: %s: %w", line, output, err)
		}
		return q, nil
	}, nil
}

// csvError puts the line first, as all errors here do. io.EOF stays what it is.
func csvError(err error) error {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("line %d: %w", p.Line, p.Err)
	}
	return err
}

func tokens(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 || n > maxTokens {
		return 0, fmt.Errorf("%q is not a number of tokens", text)
	}
	return n, nil
}

// seconds reads an instant such as 19440110.0.
func seconds(text string) (time.Duration, error) {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	return instant(s)
}

// azureTime reads an instant such as "2023-11-16 18:17:03.9799600", or, as of
// 2024, with an offset from UTC: "2024-05-10 00:00:00.009930+00:00".
func azureTime(text string) (time.Duration, error) {
	t, err := time.Parse("2006-01-02 15:04:05Z07:00", text)
	if err != nil {
		t, err = time.Parse("2006-01-02 15:04:05", text)
	}
	if s := t.Unix(); err != nil || s < 0 || s > maxInstant {
		return 0, fmt.Errorf("%q is not a time of the form 2023-11-16 18:17:03.9799600 or 2024-05-10 00:00:00.009930+00:00", text)
	}
	return time.Duration(t.UnixNano()), nil
}
