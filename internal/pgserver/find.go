package pgserver

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Places are the places to look for binaries. The zero value is this machine.
type Places struct {
	// Root is put before the fixed places, but not before PG_BIN, PATH and the
	// cache, which the environment names.
	Root string
	// Getenv reads the environment; nil means os.Getenv.
	Getenv func(string) string
}

// Installation is a directory that contains both initdb and postgres.
type Installation struct {
	Dir   string
	Major int
	// Trigrams is false if the extension pg_trgm is certainly missing.
	Trigrams bool
	cached   bool
}

func (i Installation) tool(name string) string { return filepath.Join(i.Dir, name) }

// NotFoundError reports that the machine has no PostgreSQL. Its text says what
// to do.
type NotFoundError struct {
	Looked []string
	// NoNPM leaves out the way that needs npm.
	NoNPM bool
}

func (e *NotFoundError) Error() string {
	withNode := "  with Node      make pg          (puts PostgreSQL 18 in the project cache, no root)\n"
	if e.NoNPM {
		withNode = ""
	}
	return `no PostgreSQL found. Do one of:
  Debian/Ubuntu  sudo apt-get install -y postgresql
  Fedora         sudo dnf install -y postgresql-server
  macOS          brew install postgresql@17
` + withNode + `  any server     DATABASE_URL=postgres://user:pass@host/db make run
looked in: ` + strings.Join(e.Looked, ", ")
}

// Find returns the installation for a new cluster. It prefers one with pg_trgm,
// then one of the system to one of `make pg`, then the highest major version.
// If PG_BIN is set, it considers nothing else. It returns a *NotFoundError if
// there is none.
func (p Places) Find(ctx context.Context) (Installation, error) {
	found, err := p.all(ctx)
	if err != nil {
		return Installation{}, err
	}
	return found[0], nil
}

// CacheDir returns the directory where `make pg` puts binaries, each version in
// a directory of its own. Find looks there last. It fails if neither
// XDG_CACHE_HOME nor HOME is an absolute path.
func (p Places) CacheDir() (string, error) {
	if dir := p.getenv("XDG_CACHE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "caregraph", "pg"), nil
	}
	home := p.getenv("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("no cache directory: neither XDG_CACHE_HOME nor HOME is set")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Caches", "caregraph", "pg"), nil
	}
	return filepath.Join(home, ".cache", "caregraph", "pg"), nil
}

func (p Places) getenv(key string) string {
	if p.Getenv == nil {
		return os.Getenv(key)
	}
	return p.Getenv(key)
}

// all returns at least one installation, the best first, or a *NotFoundError.
func (p Places) all(ctx context.Context) ([]Installation, error) {
	var found []Installation
	seen := map[string]bool{}
	try := func(dir string, cached bool) {
		dir, err := filepath.EvalSymlinks(dir)
		if err != nil || seen[dir] {
			return
		}
		seen[dir] = true
		if i, ok := inspect(ctx, dir); ok {
			i.cached = cached
			found = append(found, i)
		}
	}
	looked := p.visit(try)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &NotFoundError{Looked: looked}
	}
	slices.SortStableFunc(found, compareInstallations)
	return found, nil
}

// visit calls try for each candidate directory and returns the places as text
// for people.
func (p Places) visit(try func(dir string, cached bool)) (looked []string) {
	if dir := p.getenv("PG_BIN"); dir != "" {
		try(dir, false)
		return []string{"PG_BIN=" + dir}
	}
	looked = []string{"PG_BIN (not set)", "PATH"}
	for _, dir := range filepath.SplitList(p.getenv("PATH")) {
		tryOnPath(dir, try)
	}
	for _, pattern := range fixedPlaces() {
		pattern = filepath.Join("/", p.Root, pattern)
		looked = append(looked, pattern)
		tryGlob(pattern, false, try)
	}
	if cache, err := p.CacheDir(); err == nil {
		pattern := filepath.Join(cache, "*", "bin")
		looked = append(looked, pattern)
		tryGlob(pattern, true, try)
	}
	return looked
}

// fixedPlaces returns the places of Debian, PGDG on Red Hat, Alpine, Homebrew
// on both kinds of Mac, MacPorts and Postgres.app. Fedora and Arch use PATH.
func fixedPlaces() []string {
	return []string{
		"usr/lib/postgresql/*/bin",
		"usr/pgsql-*/bin",
		"usr/libexec/postgresql*",
		"opt/homebrew/opt/postgresql*/bin",
		"usr/local/opt/postgresql*/bin",
		"opt/local/lib/postgresql*/bin",
		"Applications/Postgres.app/Contents/Versions/*/bin",
	}
}

// tryOnPath also follows a link to a single tool: a distribution that keeps
// initdb off PATH links psql or postgres into it.
func tryOnPath(dir string, try func(string, bool)) {
	if !filepath.IsAbs(dir) {
		return
	}
	try(dir, false)
	for _, tool := range []string{"initdb", "postgres"} {
		if target, err := filepath.EvalSymlinks(filepath.Join(dir, tool)); err == nil {
			try(filepath.Dir(target), false)
		}
	}
}

func tryGlob(pattern string, cached bool, try func(string, bool)) {
	dirs, _ := filepath.Glob(pattern) // the only possible error is a bad pattern
	for _, dir := range dirs {
		try(dir, cached)
	}
}

func compareInstallations(a, b Installation) int {
	if a.Trigrams != b.Trigrams {
		return boolFirst(a.Trigrams)
	}
	if a.cached != b.cached {
		return boolFirst(b.cached)
	}
	return cmp.Compare(b.Major, a.Major)
}

func boolFirst(first bool) int {
	if first {
		return -1
	}
	return 1
}

// inspect asks the binary for its version: on most systems the path does not
// contain it. A binary that cannot run here does not count.
func inspect(ctx context.Context, dir string) (Installation, bool) {
	i := Installation{Dir: dir}
	if !executable(i.tool("initdb")) || !executable(i.tool("postgres")) {
		return i, false
	}
	out, err := exec.CommandContext(ctx, i.tool("postgres"), "--version").Output() //nolint:gosec // G204: running what was found is the purpose
	if err != nil {
		return i, false
	}
	digits := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(out)
	if digits == nil {
		return i, false
	}
	if i.Major, err = strconv.Atoi(string(digits[1])); err != nil {
		return i, false
	}
	i.Trigrams = hasTrigrams(dir, i.Major)
	return i, true
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// hasTrigrams looks for the control file of pg_trgm, which Fedora packages
// separately. The file of plpgsql, which is always installed, shows where the
// directory of extensions is. If it is not found, hasTrigrams returns true, and
// the first migration reports the problem.
func hasTrigrams(bin string, major int) bool {
	m := strconv.Itoa(major)
	shares := []string{
		"", "postgresql/" + m, "postgresql" + m, "postgresql-" + m, "postgresql@" + m, "postgresql", "pgsql",
	}
	for prefix := filepath.Dir(bin); ; prefix = filepath.Dir(prefix) {
		for _, share := range shares {
			dir := filepath.Join(prefix, "share", share, "extension")
			if exists(filepath.Join(dir, "plpgsql.control")) {
				return exists(filepath.Join(dir, "pg_trgm.control"))
			}
		}
		if prefix == filepath.Dir(prefix) {
			return true
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
