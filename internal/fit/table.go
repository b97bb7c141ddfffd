package fit

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"vllmbench/internal/vllmsim"
)

// Halves predicts each cell with the timing of the others: the run's cells are
// dealt in turn to two halves, and each half is predicted by the fit of the other.
func Halves(config vllmsim.Config, cells []Cell) ([]Judged, error) {
	if len(cells) < 2 {
		return nil, fmt.Errorf("two halves need two cells or more, and the run has %d: record more cells", len(cells))
	}
	var halves [2][]Cell
	for i, c := range cells {
		halves[i%2] = append(halves[i%2], c)
	}
	out := make([]Judged, len(cells))
	for h, half := range halves {
		t, err := Timing(config, halves[1-h])
		if err != nil {
			return nil, err
		}
		c := config
		c.Timing = t
		judged, err := Judge(c, half)
		if err != nil {
			return nil, err
		}
		for i, j := range judged {
			out[2*i+h] = j
		}
	}
	return out, nil
}

// Within counts the quantities whose prediction is off by at most that share,
// and all that were measured.
func Within(judged []Judged, share float64) (within, all int) {
	for _, j := range judged {
		e := j.Errors()
		for _, off := range [...]float64{e.TTFT, e.ITL, e.Rate} {
			if math.IsNaN(off) {
				continue
			}
			if all++; math.Abs(off) <= share {
				within++
			}
		}
	}
	return within, all
}

// Write prints a table of measured and predicted values, in Markdown that also
// reads well as it is.
func Write(w io.Writer, judged []Judged) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', tabwriter.Debug)
	fmt.Fprintln(t, "cell\t TTFT ms\t predicted\t off\t ITL ms\t predicted\t off\t tok/s\t predicted\t off")
	for _, j := range judged {
		e := j.Errors()
		fmt.Fprintf(t, "%s\t %s\t %s\t %s\n", j.Name, pair(1e3, j.Measured.TTFT, j.Predicted.TTFT, e.TTFT),
			pair(1e3, j.Measured.ITL, j.Predicted.ITL, e.ITL), pair(1, j.Measured.Rate, j.Predicted.Rate, e.Rate))
	}
	return t.Flush()
}

// pair is the cells of one quantity.
func pair(scale, measured, predicted, off float64) string {
	if math.IsNaN(off) {
		return fmt.Sprintf("-\t %s\t -", three(scale*predicted))
	}
	return fmt.Sprintf("%s\t %s\t %+.1f %%", three(scale*measured), three(scale*predicted), 100*off)
}

// three writes x with three significant digits and no exponent.
func three(x float64) string {
	decimals := 0
	for limit := 100.0; decimals < 3 && math.Abs(x) < limit; limit /= 10 {
		decimals++
	}
	return fmt.Sprintf("%.*f", decimals, x)
}
