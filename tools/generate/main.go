// Command generate writes graph/gen: gqlgen's code for schema.graphqls, the bindings of
// fields, the resolvers that read records, and functions that turn inputs into records
// and changes.
//
// It belongs to the module of the tools, so that the server's go.mod does not list the
// dependencies of a generator. The generated package belongs to the server's module.
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
	// This finds gqlgen.yml in a parent directory and changes to that directory, so that
	// Go uses the server's module and not that of the tools.
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return fmt.Errorf("read gqlgen.yml: %w", err)
	}
	return api.Generate(cfg, api.AddPlugin(payloads{}), api.AddPlugin(bindings{}), api.AddPlugin(reads{}), api.AddPlugin(changes{}),
		api.AddPlugin(withoutSubscriptions{}))
}
