// Command caregraph serves patients, doctors and assignments between them over
// GraphQL, and over the REST addresses of the system that it replaces. See
// README.md.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/caregraph/caregraph/internal/cli"
	"github.com/caregraph/caregraph/internal/fill"
	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/server"
)

//go:embed schema.graphqls
var schema string

const version = "0.1.0"

// gcPercent lets the heap grow to three times the live data before a garbage
// collection; Go's default is two times. The live data are about 10 MB.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, again, release := host.StopSignals(context.Background())
	err := cli.Run(ctx, cli.Env{
		Args: os.Args[1:], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Version: version, Policy: server.AccessRules,
	}, cli.Serve(server.Server{Version: version, Schema: schema, SkipDrain: again}.Serve), cli.Fill(fill.Run))
	if code, ok := errors.AsType[cli.ExitCode](err); ok {
		os.Exit(int(code))
	}
	if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Canceled)) {
		last := host.NewLines(os.Stderr, nil)
		_, _ = fmt.Fprintln(last, "caregraph:", err)
		last.Close()
		os.Exit(1)
	}
	release()
}
