package client

// A mark is an event of the stream with its arrival.
type mark struct {
	arrival
	chunk
}

// credit returns the arrivals of n tokens, n being the final usage, from the
// marks of a stream. estimated says that the marks do not tell how many tokens each carried.
//
// In order of trust: usage on every event, token ids, one token an event.
func credit(marks []mark, n int) (events []Event, estimated bool) {
	for _, weigh := range []func([]mark) ([]int, int){byUsage, byIDs, byText, byChoice} {
		if weights, sum := weigh(marks); sum == n && n >= 0 {
			return eventsOf(marks, weights), false
		}
	}
	return eventsOf(marks, spread(marks, n)), true
}

// byUsage counts the growth of usage from event to event, if every event tells
// it. What a chat's role is said to have grown by came with the event after it.
func byUsage(marks []mark) (weights []int, sum int) {
	weights = make([]int, len(marks))
	for i, m := range marks {
		if m.bears && !m.usage {
			return weights, -1
		}
		if m.token() && m.usage && m.completion > sum {
			weights[i] = m.completion - sum
			sum = m.completion
		}
	}
	return weights, sum
}

func byIDs(marks []mark) (weights []int, sum int) {
	return weighing(marks, func(m mark) int { return m.ids })
}

// byText counts one token for each event that bears something.
func byText(marks []mark) (weights []int, sum int) {
	return weighing(marks, func(m mark) int { return one(m.bears) })
}

// byChoice also counts events without text: a token that ends inside a
// character, or is special, has none.
func byChoice(marks []mark) (weights []int, sum int) {
	return weighing(marks, func(m mark) int { return one(m.token()) })
}

func weighing(marks []mark, weight func(mark) int) (weights []int, sum int) {
	weights = make([]int, len(marks))
	for i, m := range marks {
		weights[i] = weight(m)
		sum += weights[i]
	}
	return weights, sum
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spread shares n tokens among the events that bear something, as evenly as
// whole numbers allow, the first event never without one.
func spread(marks []mark, n int) []int {
	weights, k := byText(marks)
	if k == 0 {
		weights, k = byChoice(marks)
	}
	if k == 0 || n < 0 {
		return make([]int, len(marks))
	}
	seen := 0
	for i, w := range weights {
		if w > 0 {
			weights[i] = n/k + ceilDiv((seen+1)*(n%k), k) - ceilDiv(seen*(n%k), k)
			seen++
		}
	}
	return weights
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// eventsOf returns the marks that carry tokens.
func eventsOf(marks []mark, weights []int) []Event {
	events := make([]Event, 0, len(marks))
	var seq uint64
	for i, m := range marks {
		if weights[i] > 0 {
			events = append(events, Event{At: m.at, Lag: m.seen - m.at, Tokens: weights[i], Merged: m.seq == seq})
			seq = m.seq
		}
	}
	return events
}
