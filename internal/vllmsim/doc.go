// Package vllmsim is a server that behaves as vLLM does, without weights.
//
// It is a scheduler, not a sleep: requests share iteration-level steps under a
// token budget and a pool of KV blocks, and a step takes the time that the
// roofline of a model on a GPU allows, plus what engines are measured to add.
// Latencies under load, queueing, preemption and prefix hits therefore follow
// from the same rules as the real server's, and are not configured.
//
// What the steps do to the GPU is on /dcgm/metrics, as a DCGM exporter would
// have it: time, bytes and operations follow from the steps, activity and power
// from a model with the figures of an H200 (gpuwork.go).
//
// To learn continuous batching from it, read scheduler.go (who runs in a
// step), blocks.go (where keys and values live), hash.go (what may be shared)
// and engine.go (the loop and its clock), in this order.
package vllmsim
