package vllmsim

import "time"

// An Ending says how the server's side of a request ended.
type Ending string

const (
	Completed Ending = "completed" // the whole answer was sent
	Ended     Ending = "ended"     // the answer was ended in good form, but too early
	Refused   Ending = "refused"   // with an HTTP error
	Closed    Ending = "closed"    // the connection was closed within the answer, or before it
	Reset     Ending = "reset"     // the connection was reset
	Left      Ending = "left"      // the client was gone first, or the server stopped
)

// A Truth is what the server did for one generation request. A client that
// repeats a request, as it may when a kept connection closes before the answer, makes two.
type Truth struct {
	RequestID string  // the request's header X-Request-Id, if any
	CacheSalt string  // the request's field cache_salt, if any
	Faults    []Fault // done to it, in the order of the table

	Arrived      time.Time
	Status       int    // of the answer; 0: there was no header
	PromptTokens int    // that the engine was given
	Generated    int    // tokens that the engine had produced for it at its end
	Events       []Sent // events that bear tokens, in order
	End          Ending
	Ended        time.Time
}

// A Sent is one event that bears tokens. Events of one write have its times.
type Sent struct {
	Tokens       int
	Began, Ended time.Time // of the write; the bytes left between the two
}
