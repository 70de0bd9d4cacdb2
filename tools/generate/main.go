// Command generate writes graph/gen: what gqlgen makes of schema.graphqls,
// the bindings that it found on the way, and what turns inputs into records and
// changes of records.
//
// It belongs to the module of the tools, so that the server's go.mod does not list
// the dependencies of a generator. The generated package belongs to the server's
// module.
package main

import (
	"fmt"
	"os"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	// It also looks for gqlgen.yml in the parent directories and changes to that
	// directory: from then on, Go uses the server's module and not the tools'.
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return fmt.Errorf("read gqlgen.yml: %w", err)
	}
	return api.Generate(cfg, api.AddPlugin(bindings{}), api.AddPlugin(reads{}), api.AddPlugin(changes{}))
}
