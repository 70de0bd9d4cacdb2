package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tools are the programs that make finds instead of Go and Node: shell scripts by name.
type tools map[string]string

// oldNode fails the test if it does more than print its version.
var oldNode = tools{"go": `echo "go $*" >>go.log`, "node": "echo v18.20.4", "npm": "exit 9"}

// makes runs make with the tools in the copy, and returns what it printed.
func (r recipe) makes(with tools, targets ...string) (said string, err error) {
	r.Helper()
	bin := r.TempDir()
	for name, script := range with {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			r.Fatal(err)
		}
	}
	// The machine's own Node must not answer.
	for _, name := range strings.Fields("sh make sed awk find rm mkdir touch dirname cp git cat") {
		path, err := exec.LookPath(name)
		if err != nil {
			r.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
			r.Fatal(err)
		}
	}
	cmd := exec.CommandContext(r.Context(), filepath.Join(bin, "make"), targets...)
	cmd.Dir, cmd.Env = r.dir, []string{"PATH=" + bin, "HOME=" + bin}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

const plainPage = "until 'make playground build', the server has a plain page"

// Without Node, or with one that is too old, the first build says so in one line, runs
// no npm, and the second build says nothing about it.
func TestMake_NamesTheWantedNodeOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		with tools
		want string
	}{
		"no Node":      {tools{"go": "exit 0"}, "no npm"},
		"Node alone":   {tools{"go": "exit 0", "node": "echo v24.0.0"}, "no npm"},
		"npm alone":    {tools{"go": "exit 0", "npm": "exit 9"}, "no Node"},
		"Debian's":     {oldNode, "v18.20.4"},
		"almost":       {tools{"go": "exit 0", "node": "echo v20.18.3", "npm": "exit 9"}, "v20.18.3"},
		"fewer digits": {tools{"go": "exit 0", "node": "echo v9.30.0", "npm": "exit 9"}, "v9.30.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := copied(t)
			said, err := r.makes(c.with, "build")
			want := "the playground needs Node 20.19 or newer, with npm (here: " + c.want + "): " + plainPage + "\n"
			if err != nil || strings.Count(said, "\n") != 2 || !strings.Contains(said, want) {
				t.Errorf("%v, want only %q and the line about building, in:\n%s", err, want, said)
			}
			if said, err = r.makes(c.with, "build"); err != nil || strings.Contains(said, "Node") {
				t.Errorf("again: %v, %s", err, said)
			}
			if said, err = r.makes(c.with, "playground"); err == nil || !strings.Contains(said, want) {
				t.Errorf("playground: %v, %s", err, said)
			}
		})
	}
}

func TestMake_BuildsThePlaygroundOnceWithANewNode(t *testing.T) {
	t.Parallel()
	r := copied(t)
	with := tools{"go": "exit 0", "node": "echo v20.19.0", "npm": `echo "npm $1" >>npm.log`}
	for range 2 {
		if said, err := r.makes(with, "build"); err != nil || strings.Contains(said, "plain page") {
			t.Errorf("%v, %s", err, said)
		}
	}
	log, err := os.ReadFile(filepath.Join(r.dir, "web", "npm.log"))
	if err != nil || string(log) != "npm ci\nnpm run\n" {
		t.Errorf("%v, %q", err, log)
	}
}

// A failure of npm, for example without a network, is not repeated by every build.
func TestMake_TriesNpmOnce(t *testing.T) {
	t.Parallel()
	r := copied(t)
	with := tools{"go": "exit 0", "node": "echo v20.19.0", "npm": "exit 9"}
	if said, err := r.makes(with, "build"); err != nil || !strings.Contains(said, "could not be built: "+plainPage) {
		t.Errorf("%v, %s", err, said)
	}
	if said, err := r.makes(with, "build"); err != nil || strings.Contains(said, "plain page") {
		t.Errorf("again: %v, %s", err, said)
	}
}

func TestMake_CleanRemovesABuiltPlayground(t *testing.T) {
	t.Parallel()
	r := copied(t)
	r.write("web/dist/docs/.gitkeep", "")
	r.write("web/dist/docs/assets/main.js.gz", "")
	r.write("bin/caregraph", "")
	for range 2 {
		if said, err := r.makes(nil, "clean"); err != nil {
			t.Errorf("%v, %s", err, said)
		}
	}
	left, err := filepath.Glob(filepath.Join(r.dir, "web", "dist", "[^.]*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v, left: %q", err, left)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "web", "dist", ".gitkeep")); err != nil {
		t.Error(err)
	}
}

// The example clinic does not come into a database that the environment names.
func TestMake_DemoHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	r := copied(t)
	r.write("bin/pages", "")
	r.write("bin/caregraph", "#!/bin/sh\necho \"$* in <$DATABASE_URL$CAREGRAPH_DATABASE_URL$CAREGRAPH_DATABASE_ADMIN_URL$CAREGRAPH_DATA>\"\n")
	if err := os.Chmod(filepath.Join(r.dir, "bin", "caregraph"), 0o700); err != nil {
		t.Fatal(err)
	}
	said, err := r.makes(tools{"go": "exit 0"}, "demo", "ARGS=--addr 127.0.0.1:9000",
		"DATABASE_URL=a", "CAREGRAPH_DATABASE_URL=b", "CAREGRAPH_DATABASE_ADMIN_URL=c", "CAREGRAPH_DATA=d")
	if err != nil || !strings.HasSuffix(said, "\nserve --demo --addr 127.0.0.1:9000 in <>\n") {
		t.Errorf("%v: %s", err, said)
	}
}

// The targets of a first day say which Go is needed, with and without any Go.
func TestMake_NamesTheWantedGo(t *testing.T) {
	t.Parallel()
	r := copied(t)
	old := tools{"go": `[ "$1" = version ] && echo "go version go1.19.8 linux/amd64" && exit
echo "go: errors parsing go.mod: invalid go version '1.26.0': must match format 1.23" >&2; exit 1`}
	for _, target := range []string{"build", "run", "demo", "fill", "test", "pg"} {
		for here, with := range map[string]tools{"go version go1.19.8": old, "no Go": {}} {
			said, err := r.makes(with, target)
			if err == nil || !strings.Contains(said, "CareGraph needs Go 1.26.") || !strings.Contains(said, "this is "+here) {
				t.Errorf("%s with %s: %v, %s", target, here, err, said)
			}
			if strings.Contains(said, "building") {
				t.Errorf("%s with %s went on: %s", target, here, said)
			}
		}
	}
}

func TestMake_SaysThatItBuilds(t *testing.T) {
	t.Parallel()
	said, err := copied(t).makes(oldNode, "build")
	if err != nil || !strings.Contains(said, "building bin/caregraph") {
		t.Errorf("%v, %s", err, said)
	}
}

// stampFlag and a revision are the flag of the linker that the binary of this package
// was built with.
const stampFlag = "-X github.com/caregraph/caregraph/internal/cli.built="

func TestVersion_PrintsTheStamp(t *testing.T) {
	t.Parallel()
	out, failure := run(t, "", "version")
	if failure != "" || !regexp.MustCompile(`^caregraph \d+\.\d+\.\d+ 0123abc\n$`).MatchString(out) {
		t.Errorf("%s, %q", failure, out)
	}
	out, failure = run(t, "", "version", "--json")
	want := `^\{"version":"\d+\.\d+\.\d+","revision":"0123abc","time":"","modified":false,"go":"go1\.[^"]+","schema":"20\d{12}"\}\n$`
	if failure != "" || !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("%s, %q", failure, out)
	}
}

// TestVersion_IsInAnArchiveOfGit: git archive fills the file in, and a build without git
// reads it.
func TestVersion_IsInAnArchiveOfGit(t *testing.T) {
	t.Parallel()
	r := copied(t)
	r.git("init", "-q")
	r.git("add", "-A")
	r.git("commit", "-qm", "all")
	cmd := exec.CommandContext(t.Context(), "git", "archive", "HEAD", "internal/cli/revision.txt")
	cmd.Dir = r.dir
	archive, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := r.git("log", "-1", "--format=%H %cI"); !bytes.Contains(archive, []byte("\x00"+want+"\n\x00")) {
		t.Errorf("the archive lacks %q", want)
	}
}

// git runs git in the copy, and returns what it printed.
func (r recipe) git(args ...string) string {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), "git", append([]string{"-c", "user.name=a", "-c", "user.email=a@b.example"}, args...)...)
	cmd.Dir = r.dir
	out, err := cmd.Output()
	if err != nil {
		r.Fatal(args, err)
	}
	return strings.TrimSpace(string(out))
}

// The stamp of the binary does not depend on GOFLAGS, nor on the kind of checkout.
func TestMake_StampsTheRevision(t *testing.T) {
	t.Parallel()
	r := copied(t)
	git := r.git
	stamp := func() string {
		t.Helper()
		if said, err := r.makes(tools{"go": `[ "$1" != build ] || echo "$*" >bin/go.log`, "node": "exit 1"}, "build"); err != nil {
			t.Fatal(err, said)
		}
		log, err := os.ReadFile(filepath.Join(r.dir, "bin", "go.log"))
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(log), " -ldflags "+stampFlag)
		if !found {
			t.Fatalf("no stamp: %s", log)
		}
		revision, _, _ := strings.Cut(after, " ")
		return revision
	}
	if got := stamp(); got != "" {
		t.Errorf("without git: %q", got)
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-qm", "all")
	if got, want := stamp(), git("rev-parse", "HEAD"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.write("README.md", "changed")
	if got, want := stamp(), git("rev-parse", "HEAD")+"-dirty"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The tour and the first commands of README use only what the documents say to install.
func TestDocs_ListThePackagesOfTheFirstSteps(t *testing.T) {
	t.Parallel()
	var steps strings.Builder
	for _, name := range []string{"README.md", "docs/tour.md"} {
		for _, b := range blocks(document(t, name)) {
			if b.language == "sh" {
				steps.WriteString(b.text)
			}
		}
	}
	if !strings.Contains(document(t, "README.md"), "git clone https://") {
		t.Error("README.md does not clone the repository")
	}
	if !strings.Contains(document(t, "docs/tour.md"), "directory of the repository") {
		t.Error("docs/tour.md does not say where the second terminal is")
	}
	installation := section(t, "docs/operations.md", "Installation")
	for _, command := range []string{"git ", "curl ", "make "} {
		if !strings.Contains(steps.String(), command) {
			t.Errorf("no step uses %s: this tests nothing", command)
		}
		for _, install := range []string{"apt-get install -y ", "dnf install -y "} {
			_, packages, _ := strings.Cut(installation, install)
			packages, _, _ = strings.Cut(packages, "`")
			if !strings.Contains(packages+" ", command) {
				t.Errorf("%s... lacks %s", install, command)
			}
		}
	}
}

// Nothing of the server is left after the commands of "Removing everything".
func TestDocs_SayHowToRemoveEverything(t *testing.T) {
	t.Parallel()
	_, removal, found := strings.Cut(document(t, "docs/operations.md"), "\n### Removing everything\n")
	removal, _, _ = strings.Cut(removal, "\n### ")
	commands := blocks(removal)
	if !found || len(commands) != 1 {
		t.Fatalf("docs/operations.md says: %q", commands)
	}
	r := copied(t)
	home := t.TempDir()
	for _, name := range []string{"bin/caregraph", "web/dist/docs/index.html.gz"} {
		r.write(name, "")
	}
	for _, dir := range []string{".local/state/caregraph/postgres", ".local/state/caregraph-demo/postgres", ".cache/caregraph/pg"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", commands[0].text)
	cmd.Dir, cmd.Env = r.dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v, %s", err, out)
	}
	for _, path := range []string{filepath.Join(r.dir, "bin"), filepath.Join(home, ".local/state/caregraph"), filepath.Join(home, ".local/state/caregraph-demo"), filepath.Join(home, ".cache/caregraph")} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}
