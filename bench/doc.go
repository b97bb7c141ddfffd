// Package bench holds the experiments.
//
//	go test -bench=. ./bench                              the embedded server
//	go test -bench=. ./bench -url=http://HOST:8000        a real one
//	go test -bench=Throughput ./bench -batches=1,64,256   other axes
//	go test -bench=. -count=10 -timeout=0 ./bench -record=results/baseline
//
// Each file reads like the description of its experiment; -explain tells how
// each metric is taken and when it is left out.
package bench
