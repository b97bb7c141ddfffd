package bench

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"vllmbench/client"
)

// campaignFlags size the campaign. As flags they have no text of their own, so that no record of a run names them.
var campaignFlags struct {
	streams int
	seed    uint64
}

func init() {
	f := &campaignFlags
	flag.Func("campaign", "`streams` of TestCampaign (default 3000)", func(s string) (err error) {
		if f.streams, err = strconv.Atoi(s); err == nil && f.streams < 100 {
			err = fmt.Errorf("%d streams are too few: name 100 or more", f.streams)
		}
		return err
	})
	flag.Func("campaign-seed", "`number` that TestCampaign draws its requests and faults from (default the time)", func(s string) (err error) {
		f.seed, err = strconv.ParseUint(s, 10, 64)
		return err
	})
}

// TestCampaign sends streams to a server in this process that does wrong to
// many of them, at random, and holds each result against what the server did.
// In full: go test ./bench -run=Campaign -campaign=100000 -timeout=0 -v
func TestCampaign(t *testing.T) {
	n, seed := campaignFlags.streams, campaignFlags.seed
	if n == 0 {
		if n = 3000; raceEnabled {
			n = 600
		}
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("%d streams, -campaign-seed=%d", n, seed)
	began, cpu := time.Now(), client.CPUTime()
	stocks := []stock{takeStock("before", stock{})}

	clean := newCampaign(t, seed, nil)
	clean.learn()
	clean.send("clean", n)
	clean.end()

	faulty := newCampaign(t, seed, faultRules())
	faulty.chatPrompt = clean.chatPrompt
	faulty.send("warm-up", warmUp)
	stocks = append(stocks, takeStock("start", stock{}))
	for _, half := range []string{"middle", "end"} {
		faulty.send("until the "+half, n/2)
		stocks = append(stocks, takeStock(half, stocks[1]))
	}
	faulty.end()
	stocks = append(stocks, takeStock("server closed", stocks[0]))

	t.Logf("what the server did, and what the client said\n%s", faulty.tally.table())
	t.Logf("errors of the streams that met no fault\n%s", timingTable(&clean.tally.timing, &faulty.tally.timing))
	t.Logf("when no stream is under way\n%s", stockTable(stocks))
	t.Logf("wall %v, CPU %v, peak memory %s; %s/%s, %d processors", time.Since(began).Round(time.Second/10),
		(client.CPUTime() - cpu).Round(time.Second/10), peakMemory(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, c := range []*campaign{clean, faulty} {
		assert.Zero(t, c.tally.wrong, "streams went wrong: %s", strings.Join(c.tally.shown, "\n"))
		assert.Zero(t, c.book.strays(), "the server had requests that no result knows of")
	}
	checkStocks(t, stocks)
	if !faulty.tally.userStamps {
		checkTimings(t, &clean.tally.timing, &faulty.tally.timing)
	}
}
