package cli

import (
	"regexp"
	"testing"
)

// The linker's stamp comes first, then the archive's, then the compiler's.
func TestBuildOf_KnowsItsRevision(t *testing.T) {
	wasBuilt, wasAt, wasArchived := built, builtAt, archived
	defer func() { built, builtAt, archived = wasBuilt, wasAt, wasArchived }()
	for name, c := range map[string]struct {
		built, at, archived string
		want                Build
		named               string
	}{
		"stamp":         {"abc", "2026-01-02T03:04:05Z", "$Format:%H %cI$\n", Build{Revision: "abc", Time: "2026-01-02T03:04:05Z"}, "abc"},
		"changed stamp": {"abc-dirty", "", "$Format:%H %cI$\n", Build{Revision: "abc", Modified: true}, "abc-dirty"},
		"archive":       {"", "", "def 2026-01-02T03:04:05+05:30\n", Build{Revision: "def", Time: "2026-01-02T03:04:05+05:30"}, "def"},
		"both":          {"abc", "", "def 2026-01-02T03:04:05+05:30\n", Build{Revision: "abc"}, "abc"},
	} {
		built, builtAt, archived = c.built, c.at, c.archived
		got := BuildOf("1.2.3")
		if got.Revision != c.want.Revision || got.Time != c.want.Time || got.Modified != c.want.Modified || got.Name() != c.named {
			t.Errorf("%s: %+v", name, got)
		}
		if got.Version != "1.2.3" || !regexp.MustCompile(`^20\d{12}$`).MatchString(got.Schema) || got.Go == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
