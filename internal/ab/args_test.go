package ab

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTestArgs(t *testing.T) {
	got, err := testArgs([]string{"-bench=Throughput/batch=4", "--benchtime", "3s", "-test.cpu=2", "-batches=1,4", "--prompt", "100", "-v", "-limits=cpu=2"})
	require.NoError(t, err)
	assert.Equal(t, []string{"-test.bench=Throughput/batch=4", "-test.benchtime", "3s", "-test.cpu=2", "-batches=1,4", "--prompt", "100", "-test.v", "-limits=cpu=2"}, got)
	for name := range refused {
		for _, arg := range []string{"-" + name, "--" + name, "-test." + name, "-" + name + "=x"} {
			_, err := testArgs([]string{"-v", arg})
			assert.ErrorContains(t, err, "-"+name+" is not for the benchmarks of an A/B run: ")
		}
	}
}
