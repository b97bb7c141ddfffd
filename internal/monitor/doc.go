// Package monitor shows a GPU and a vLLM server side by side while they work.
//
// All that is shown follows from one State, which takes in rounds of reads and
// does nothing else; the screen, the lines for pipes, the CSV file and the
// summary are functions of it. The monitor only reads pages of metrics: it
// sends the server no request, so it may run beside a benchmark. From the
// server's histograms it takes means (sum over count), which are exact; vLLM's
// buckets (the first of ITL ends at 10 ms) allow no quantile.
package monitor
