package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/caregraph/caregraph/internal/host"
)

// toolbox has the programs that the benchmark runs. A copy of it with another
// server runs an older build with the same flags.
type toolbox struct {
	dir, server, bench string
	// log receives the output of the servers.
	log io.Writer
}

// newToolbox builds the server into dir, with default.pgo if it exists. A build
// for profiles names its sources without the directory of this tree.
func newToolbox(ctx context.Context, dir string, log io.Writer, profiled bool) (toolbox, error) {
	t := toolbox{dir: dir, server: filepath.Join(dir, "caregraph"), log: log}
	var err error
	if t.bench, err = os.Executable(); err != nil {
		return t, err
	}
	args := []string{"build", "-buildvcs=false", "-o", t.server}
	if profiled {
		args = append(args, "-tags=profile", "-trimpath")
	}
	build := exec.CommandContext(ctx, "go", append(args, module)...) //nolint:gosec // G204: our own server
	if out, err := build.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return t, ctx.Err()
		}
		return t, fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return t, nil
}

const module = "github.com/caregraph/caregraph"

func (t toolbox) migrate(ctx context.Context, url string) error {
	cmd := exec.CommandContext(ctx, t.server, "migrate") //nolint:gosec // G204: the server that was just built
	cmd.Env = append(cleanEnv(), "DATABASE_URL="+url)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate: %w\n%s", err, out)
	}
	return nil
}

// serve starts the server with its default settings, except for flags. All servers share a data
// directory, so each of them accepts the tokens of the others.
func (t toolbox) serve(ctx context.Context, url string, flags ...string) (*process, error) {
	return command{
		name: filepath.Base(t.server), dir: t.dir, log: t.log, env: []string{"DATABASE_URL=" + url},
		args: func(port string) []string {
			return append([]string{t.server, "serve", "--addr", "127.0.0.1:" + port, "--data", t.dir}, flags...)
		},
	}.start(ctx)
}

func (t toolbox) floor(ctx context.Context, o floorOptions, url string) (*process, error) {
	return command{
		name: o.name(), dir: t.dir, log: t.log, env: []string{"DATABASE_URL=" + url},
		args: func(string) []string { return []string{t.bench, "floor", o.name()} },
	}.start(ctx)
}

// profilePath is the file to which a server writes its profile.
func (t toolbox) profilePath() string { return filepath.Join(t.dir, host.ProfileName) }
