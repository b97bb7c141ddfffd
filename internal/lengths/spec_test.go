package lengths

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpec(t *testing.T) {
	for text, want := range map[string]string{
		"prompt=200":       "prompt=200",
		"output=fixed:100": "output=100",
		"prompt=lognormal:200:0.6:1000,output=uniform:50-200": "prompt=lognormal:200:0.6:1-1000,output=uniform:50-200",
		"output=uniform:5-5, prompt=lognormal:20.5:1:10-40":   "prompt=lognormal:20.5:1:10-40,output=5",
		"file=lengths.csv": "file=lengths.csv",
	} {
		var s, again Spec
		require.NoError(t, s.Set(text), text)
		assert.Equal(t, want, s.String())
		assert.False(t, s.Zero())
		require.NoError(t, again.Set(want))
		assert.Equal(t, s, again, "what is printed can be asked for again")
	}
	assert.True(t, new(Spec).Zero())
	assert.Empty(t, new(Spec).String())
}

func TestSpecRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"":                                "is not of the form prompt=LENGTH",
		"200":                             "is not of the form prompt=LENGTH",
		"prompt=":                         "is not of the form",
		"prompts=3":                       `"prompts" is neither prompt, output nor file`,
		"prompt=1,prompt=2":               "prompt is named twice",
		"file=a,prompt=1":                 "name nothing beside it",
		"prompt=x":                        `"x" is no length: write a number of tokens`,
		"prompt=0":                        `"0" is no length`,
		"prompt=normal:3:4":               "is no length",
		"prompt=fixed:0":                  "is not a number of tokens from 1",
		"prompt=uniform:5":                "is no range: write A-B",
		"prompt=uniform:5-3":              "write the less first",
		"prompt=uniform:-3":               "is not a number of tokens",
		"prompt=uniform:1-999999999":      "is not a number of tokens from 1 to 100000000",
		"prompt=lognormal:200:0.6":        "the greatest length has to be known beforehand",
		"prompt=lognormal:200:0.6:100":    "a median of \"200\" is not between the bounds 1 and 100",
		"prompt=lognormal:nan:0.6:100":    "a median of",
		"prompt=lognormal:20:0:100":       "a sigma of \"0\" is not above 0",
		"prompt=lognormal:20:nan:100":     "a sigma of",
		"prompt=lognormal:20:1:100-99":    "write the less first",
		"prompt=lognormal:20:1:10-99:1-2": "is not of the form MEDIAN:SIGMA:MAX",
	} {
		s := Spec{File: "kept"}
		assert.ErrorContains(t, s.Set(text), says, "%q", text)
		assert.Equal(t, "kept", s.File, "what is wrong changes nothing")
	}
}

func FuzzSpec(f *testing.F) {
	f.Add("prompt=lognormal:200:0.6:1000,output=uniform:50-200", 0.5)
	f.Add("output=3", 0.0)
	f.Add("prompt=lognormal:1e-300:9:1-3", 0.99)
	f.Fuzz(func(t *testing.T, text string, u float64) {
		var s, again Spec
		if s.Set(text) != nil || s.File != "" {
			return
		}
		require.NoError(t, again.Set(s.String()))
		assert.Equal(t, s, again)
		if !(u >= 0 && u < 1) {
			return
		}
		for _, d := range []Dist{s.Prompt, s.Output} {
			assert.GreaterOrEqual(t, d.at(u), d.Min())
			assert.LessOrEqual(t, d.at(u), d.Max())
		}
	})
}
