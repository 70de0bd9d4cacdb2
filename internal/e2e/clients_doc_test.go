package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The code of docs/clients.md is that of the examples, where a comment above it names the
// file and the region. Both have the same indentation, but for what all lines share.
func TestClients_HaveTheCodeOfTheExamples(t *testing.T) {
	t.Parallel()
	included := regexp.MustCompile("(?ms)^<!-- (examples/\\S+)#(\\w+) -->\n```\\w+\n(.*?)^```$")
	found := included.FindAllStringSubmatch(document(t, "docs/clients.md"), -1)
	if len(found) < 8 {
		t.Errorf("docs/clients.md includes only %d regions", len(found))
	}
	for _, m := range found {
		file, name, got := m[1], m[2], m[3]
		want, ok := region(document(t, file), name)
		switch {
		case !ok:
			t.Errorf("%s has no region %s", file, name)
		case got != want:
			t.Errorf("docs/clients.md does not have the region %s of %s as it is. Replace it with:\n%s", name, file, want)
		}
	}
}

// region returns the lines between `#region name` and the next `#endregion`, without the
// spaces that all of them begin with.
func region(text, name string) (lines string, ok bool) {
	_, text, begins := strings.Cut(text, "// #region "+name+"\n")
	text, _, ends := strings.Cut(text, "// #endregion")
	if !begins || !ends {
		return "", false
	}
	text = text[:strings.LastIndex(text, "\n")+1]
	shared := text[:len(text)-len(strings.TrimLeft(text, " "))]
	return strings.ReplaceAll("\n"+text, "\n"+shared, "\n")[1:], true
}

// An example is short enough to be read at once.
func TestExamples_AreShort(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"spa", "mobile"} {
		lines := 0
		err := fs.WalkDir(os.DirFS(filepath.Join(root, "examples", name, "src")), ".", func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "gql" {
				return fs.SkipDir // generated
			}
			if err == nil && !entry.IsDir() {
				lines += strings.Count(document(t, "examples/"+name+"/src/"+path), "\n")
			}
			return err
		})
		if err != nil || lines < 100 || lines > 400 {
			t.Errorf("examples/%s has %d lines of source, want at most 400: %v", name, lines, err)
		}
	}
}
