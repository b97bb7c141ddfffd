package gpuprobe

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"vllmbench/internal/trust"
)

const (
	// scrapeTimeout is longer than any exporter takes and short enough that Close waits little.
	scrapeTimeout = 2 * time.Second
	// pageLimit bounds a page; an exporter writes about 10 kB a GPU.
	pageLimit = 4 << 20
	// gpuLimit bounds the GPUs of a page, which each sample has room for; a host has up to 16.
	gpuLimit = 128
)

// dcgm reads the page of a DCGM exporter. The exporter renews its figures
// every 30 s unless it is run with --collect-interval 1000.
type dcgm struct {
	url  *url.URL
	http *http.Client
	gpus []Device
	xid  []Value   // the last read of each GPU
	xids []float64 // how often it changed
}

// newDCGM reads the page once and chooses GPUs of it.
func newDCGM(ctx context.Context, u *url.URL, list string, conf *tls.Config) (source, error) {
	d := &dcgm{url: u, http: trust.Client(conf)}
	d.http.Timeout = scrapeTimeout
	rows, err := d.scrape(ctx)
	if err != nil {
		return nil, err
	}
	var all []Device
	for _, r := range rows {
		all = append(all, r.device)
	}
	if d.gpus, err = chooseDevices(all, list); err != nil {
		return nil, err
	}
	d.xid, d.xids = make([]Value, len(d.gpus)), make([]float64, len(d.gpus))
	return d, nil
}

func (d *dcgm) devices() []Device { return d.gpus }

func (d *dcgm) close() error {
	d.http.CloseIdleConnections()
	return nil
}

func (d *dcgm) read(s *Sample, _ bool) error {
	rows, err := d.scrape(context.Background())
	if err != nil {
		return err
	}
	for i, gpu := range d.gpus {
		r := &s.GPUs[i]
		r.Lost = true
		for _, row := range rows {
			if row.device.UUID == gpu.UUID && row.device.Index == gpu.Index {
				*r = row.reading()
			}
		}
		d.count(i, r)
	}
	return nil
}

// count counts Xid errors: the exporter tells only the last one's number, so
// an error is seen when the number changes.
func (d *dcgm) count(i int, r *Reading) {
	if !r.Xid.Known {
		return
	}
	if d.xid[i].Known && r.Xid.N != 0 && r.Xid != d.xid[i] {
		d.xids[i]++
	}
	d.xid[i] = r.Xid
	r.Xids = known(d.xids[i])
}

func (d *dcgm) scrape(ctx context.Context) ([]row, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("URL is none: %w", err)
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4")
	resp, err := d.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the URL is named by the caller
		}
		return nil, fmt.Errorf("it does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s: give the URL of its metrics page", clean(resp.Status))
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, pageLimit+1))
	if err != nil {
		return nil, fmt.Errorf("its page breaks off: %w", err)
	}
	if len(page) > pageLimit {
		return nil, fmt.Errorf("its page has more than %d MiB: give the URL of a DCGM exporter's metrics page", pageLimit>>20)
	}
	rows, err := readPage(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("its page has no GPU: give the URL of a DCGM exporter's metrics page")
	}
	if len(rows) > gpuLimit {
		return nil, fmt.Errorf("its page has %d GPUs, of which a host has up to %d: give the URL of one host's DCGM exporter", len(rows), gpuLimit)
	}
	return rows, nil
}
