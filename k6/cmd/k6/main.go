// K6 is k6 with vllmbench's module and output.
//
// It speaks with nobody but the servers that its command line and scripts
// name: k6's usage report and its search for missing extensions are off
// unless the environment turns them on.
package main

import (
	"os"

	"go.k6.io/k6/cmd"

	_ "vllmbench/k6"
)

func main() {
	for name, value := range map[string]string{"K6_NO_USAGE_REPORT": "true", "K6_AUTO_EXTENSION_RESOLUTION": "false"} {
		if _, set := os.LookupEnv(name); !set {
			if err := os.Setenv(name, value); err != nil {
				panic(err) // neither name nor value is malformed
			}
		}
	}
	cmd.Execute()
}
