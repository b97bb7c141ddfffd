// Package load decides when requests are sent.
//
// A closed loop keeps a fixed number of streams busy and so hides queueing by
// design: what it measures is a server under a constant number of users. An
// open loop sends by a schedule that was drawn before the first request, and
// counts from the scheduled instant: no answer, however late, moves an arrival.
package load
