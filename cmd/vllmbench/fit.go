package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"vllmbench/internal/fit"
	"vllmbench/internal/results"
	"vllmbench/internal/vllmsim"
)

type fitOptions struct {
	model, gpu string
	halves     bool
	check      string
	run        string
}

func parseFit(args []string, stderr io.Writer) (o fitOptions, err error) {
	f := flag.NewFlagSet("vllmbench fit", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.model, "model", "", "`name` of the model's shape (default what the run tells)")
	f.StringVar(&o.gpu, "gpu", "", "`name` of the GPU (default what the run tells)")
	f.BoolVar(&o.halves, "halves", false, "also fit half of the cells and predict the others, both ways")
	f.StringVar(&o.check, "check", "", "also predict this other `run`, with its own flags, by this run's fit")
	f.Usage = func() {
		fmt.Fprint(stderr, "usage: vllmbench fit [flags] RUN\n\nFinds the overheads with which the embedded server behaves as the server of RUN,\n"+
			"a folder or a text of go test -bench, and says how far each cell is off.\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() != 1 {
		fmt.Fprintln(stderr, "vllmbench fit: name one run, as in vllmbench fit results/baseline")
		return o, errors.New("not one run")
	}
	o.run = f.Arg(0)
	return o, nil
}

// fitRun prints the fit of a run.
func fitRun(args []string, stdout, stderr io.Writer) int {
	o, err := parseFit(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := o.print(stdout); err != nil {
		fmt.Fprintf(stderr, "vllmbench fit: %v\n", err)
		return 1
	}
	return 0
}

func (o fitOptions) print(w io.Writer) error {
	config, cells, err := o.load(o.run)
	if err != nil {
		return err
	}
	if config.Timing, err = fit.Timing(config, cells); err != nil {
		return err
	}
	judged, err := fit.Judge(config, cells)
	if err != nil {
		return err
	}
	t := config.Timing
	fmt.Fprintf(w, "vllmbench sim --model %s --gpu %s --bandwidth-share %.3f --compute-share %.3f --request-overhead %.3gms --request-latency %.3gms\n",
		config.Model, config.GPU, t.Bandwidth, t.Compute, t.Request.Seconds()*1e3, t.Latency.Seconds()*1e3)
	if err := table(w, "fitted on all cells", judged); err != nil {
		return err
	}
	if o.halves {
		if judged, err = fit.Halves(config, cells); err != nil {
			return err
		}
		if err := table(w, "each cell predicted by the fit of the other half", judged); err != nil {
			return err
		}
	}
	if o.check == "" {
		return nil
	}
	other, cells, err := o.load(o.check)
	if err != nil {
		return err
	}
	other.Timing = config.Timing
	if judged, err = fit.Judge(other, cells); err != nil {
		return err
	}
	return table(w, o.check+", predicted by the fit of "+o.run, judged)
}

// load reads a run's cells and its server.
func (o fitOptions) load(path string) (vllmsim.Config, []fit.Cell, error) {
	run, err := results.Load(path)
	if err != nil {
		return vllmsim.Config{}, nil, err
	}
	defer run.Close()
	config, err := fit.Config(run, o.model, o.gpu)
	return config, fit.Cells(run), err
}

func table(w io.Writer, title string, judged []fit.Judged) error {
	within, all := fit.Within(judged, 0.1)
	fmt.Fprintf(w, "\n%s: %d of %d within 10 %%\n", title, within, all)
	return fit.Write(w, judged)
}
