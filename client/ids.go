package client

import "github.com/valyala/fastjson"

// outputIDs returns the ids of the tokens that the events of a stream list, in order.
func outputIDs(payloads [][]byte) (ids []int) {
	var p fastjson.Parser
	for _, payload := range payloads {
		v, err := p.ParseBytes(payload)
		if err != nil {
			continue // the outcome says so
		}
		choices := v.GetArray("choices")
		if len(choices) == 0 {
			continue
		}
		for _, id := range choices[0].GetArray("token_ids") {
			ids = append(ids, id.GetInt())
		}
	}
	return ids
}
