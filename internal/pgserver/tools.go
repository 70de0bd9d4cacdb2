package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Tool returns the path of a program of PostgreSQL, such as pg_dump, from an
// installation of the major version; 0 is the newest one. The error says what to
// install.
func (p Places) Tool(ctx context.Context, name string, major int) (string, error) {
	found, err := p.all(ctx)
	if err != nil {
		return "", err
	}
	best, path := 0, ""
	for _, bin := range found {
		// Next to links to some of the binaries, the others may be missing.
		postgres, err := filepath.EvalSymlinks(bin.tool("postgres"))
		if err != nil || major != 0 && bin.Major != major {
			continue
		}
		if tool := filepath.Join(filepath.Dir(postgres), name); executable(tool) && bin.Major > best {
			best, path = bin.Major, tool
		}
	}
	switch {
	case path != "":
		return path, nil
	case major == 0:
		return "", fmt.Errorf("%s was not found next to any PostgreSQL: install the client programs of PostgreSQL", name)
	default:
		return "", fmt.Errorf("%s of PostgreSQL %d was not found: install its client programs (Debian: postgresql-client-%d)", name, major, major)
	}
}

// Major returns the major version of PostgreSQL that created the cluster of the data
// directory, or 0 if there is none. It fails if the directory holds something else.
func Major(dataDir string) (int, error) { return cluster{dataDir: dataDir}.major() }

// ToolEnv returns the environment for a program of PostgreSQL, without the settings and
// the secrets of the server.
func ToolEnv() []string { return childEnv() }

// MakeDataDir makes a directory for a cluster that the caller copies into it. give gives
// a file to the user that PostgreSQL will run as. It fails if the directory exists.
func MakeDataDir(ctx context.Context, dir string, places Places) (give func(path string) error, err error) {
	if err := os.Mkdir(dir, dirMode()); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	bin, err := places.Find(ctx)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	as, err := pickAccount(ctx, cluster{dataDir: dir}, bin)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	return as.chown, nil
}
