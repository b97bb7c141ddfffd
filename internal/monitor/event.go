package monitor

import (
	"fmt"
	"time"
)

// A kind is a sort of event.
type kind int

const (
	kindServer kind = iota // the server came back or began anew
	kindEngine             // what its scheduler did
	kindGPU                // what the GPU's driver said
	kindGap                // the GPU did nothing
	kindFault              // what is broken
)

const keptEvents = 500

// An event is something that happened. One that repeats without another
// between is kept once, with a count.
type event struct {
	id    int
	at    time.Time
	kind  kind
	text  string
	count int
}

func (e event) String() string {
	s := e.at.Format(time.TimeOnly) + "  " + e.text
	if e.count > 1 {
		s += fmt.Sprintf(" (%d times)", e.count)
	}
	return s
}

// say keeps an event and returns its number.
func (s *State) say(at time.Time, k kind, format string, args ...any) (id int) {
	e := event{at: at, kind: k, text: fmt.Sprintf(format, args...), count: 1}
	if n := len(s.events); n > 0 {
		last := &s.events[n-1]
		if last.kind == k && last.text == e.text {
			last.count++
			s.tell(last.id)
			return last.id
		}
		e.id = last.id + 1
	}
	if len(s.events) == keptEvents {
		copy(s.events, s.events[1:])
		s.events = s.events[:keptEvents-1]
	}
	s.events = append(s.events, e)
	if k != kindGap { // a gap is told when it ends
		s.tell(e.id)
	}
	return e.id
}

// tell puts an event among the news of this round.
func (s *State) tell(id int) {
	for _, e := range s.events {
		if e.id == id {
			s.news = append(s.news, e)
		}
	}
}

// retell changes the words of an event that goes on, if it is still kept.
func (s *State) retell(id int, format string, args ...any) {
	for i := len(s.events) - 1; i >= 0 && s.events[i].id >= id; i-- {
		if s.events[i].id == id {
			s.events[i].text = fmt.Sprintf(format, args...)
		}
	}
}

// during says whether a gap cost anything.
func (g gap) during() string {
	if g.running > 0 {
		return fmt.Sprintf(", with %.0f requests running", g.running)
	}
	return ""
}
