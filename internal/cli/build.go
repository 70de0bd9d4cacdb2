package cli

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/store"
)

// built and builtAt are the commit and its time, which make build passes to the linker:
// GOFLAGS, or a worktree of git, can keep the compiler from recording them.
var built, builtAt string

// archived is the commit and its time if the source is an archive of git, which fills
// them in; see .gitattributes.
//
//go:embed revision.txt
var archived string

// Build says which build of the server runs.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // the commit, or "" if unknown
	Time     string `json:"time"`     // of the commit in RFC 3339, or "" if unknown
	Modified bool   `json:"modified"` // the source differed from the commit
	Go       string `json:"go"`
	Schema   string `json:"schema"` // the newest migration that the server knows
}

// BuildOf returns the build of a version.
func BuildOf(version string) Build {
	b := Build{Version: version, Go: runtime.Version(), Schema: store.SchemaVersion()}
	revision, when, isArchive := strings.Cut(strings.TrimSpace(archived), " ")
	switch {
	case built != "":
		b.Revision, b.Modified = strings.CutSuffix(built, "-dirty")
		b.Time = builtAt
	case isArchive && !strings.HasPrefix(revision, "$"):
		b.Revision, b.Time = revision, when
	default:
		b.readCompiler()
	}
	return b
}

// readCompiler fills in what the compiler has recorded.
func (b *Build) readCompiler() {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
}

// Name returns the revision, marked if the source differed from it.
func (b Build) Name() string {
	if b.Modified && b.Revision != "" {
		return b.Revision + "-dirty"
	}
	return b.Revision
}

func version() Command {
	var asJSON bool
	return Command{
		name: "version", summary: "print the version and the revision, or with --json all about the build",
		options:  []settings.Option{settings.Switch("json", &asJSON)},
		anywhere: true,
		run: func(_ context.Context, c call) error {
			b := BuildOf(c.Version)
			if asJSON {
				return json.NewEncoder(c.Stdout).Encode(b)
			}
			_, err := fmt.Fprintln(c.Stdout, strings.TrimSpace("caregraph "+b.Version+" "+b.Name()))
			return err
		},
	}
}
