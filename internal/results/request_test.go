package results

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"vllmbench/client"
)

func decode(t *testing.T, member []byte) ([]client.Result, error) {
	t.Helper()
	var found []client.Result
	err := decodeRequests(bytes.NewReader(member), func(r client.Result) bool {
		found = append(found, r)
		return true
	})
	return found, err
}

// TestEveryFieldOfAResultIsSaved gives every field of client.Result and
// client.Event a value of its own, so that one that is not saved is missed.
func TestEveryFieldOfAResultIsSaved(t *testing.T) {
	var res client.Result
	number := int64(1)
	var fill func(reflect.Value)
	fill = func(v reflect.Value) {
		number++
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 3, 3))
			for i := range 3 {
				fill(v.Index(i))
			}
		case reflect.Int, reflect.Int64:
			v.SetInt(number)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString("text <of> its own")
		default:
			t.Fatalf("client.Result has a field of kind %s: save it and fill it here", v.Kind())
		}
	}
	fill(reflect.ValueOf(&res).Elem())
	res.OutputIDs = nil // of use to who sends the next turn, and to nobody later

	member, err := encodeRequests([]client.Result{res, {}})
	require.NoError(t, err)
	found, err := decode(t, member)
	require.NoError(t, err)
	assert.Equal(t, []client.Result{res, {}}, found)
}

func TestColumnsThatSayNothingAreLeftOut(t *testing.T) {
	q := pack(&client.Result{Events: []client.Event{{At: 5, Tokens: 1}, {At: 8, Tokens: 1}}})
	assert.Nil(t, q.Lag)
	assert.Nil(t, q.Tokens)
	assert.Nil(t, q.Merged)
	assert.EqualValues(t, 3, q.At[1])
}

func TestRequestThatContradictsItself(t *testing.T) {
	for _, c := range []struct {
		name string
		q    request
	}{
		{"too few lags", request{At: []time.Duration{1, 2}, Lag: []time.Duration{1}}},
		{"too many tokens", request{At: []time.Duration{1}, Tokens: []int{1, 2}}},
		{"merged beyond the end", request{At: []time.Duration{1}, Merged: []int{1}}},
		{"merged before the start", request{At: []time.Duration{1}, Merged: []int{-1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.q.unpack()
			assert.Error(t, err)
		})
	}
}
