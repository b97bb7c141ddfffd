package client

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFailures(t *testing.T) {
	got := Failures([]Result{
		{Outcome: OK},
		{Outcome: Connect, Error: "refused"},
		{Outcome: HTTP5xx, Error: "HTTP 500: a"},
		{Outcome: Connect, Error: "reset"},
	})
	assert.Equal(t, "2 failed (connect): refused; 1 failed (http_5xx): HTTP 500: a", got)
	assert.Empty(t, Failures(nil))
}
