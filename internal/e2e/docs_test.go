package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
)

// root is the top of the repository.
const root = "../.."

// document returns the text of a document, named from the root.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files returns the names from the root of all files with the suffix that
// belong to the project.
func files(t *testing.T, suffix string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".data", "bin", "node_modules"}, entry.Name()):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(name, suffix):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// block is a block of code of a document, and the language of its mark.
type block struct{ language, text string }

func blocks(markdown string) (found []block) {
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(markdown, -1) {
		found = append(found, block{m[1], m[2]})
	}
	return found
}

// section returns the text below a heading.
func section(t *testing.T, name, heading string) string {
	t.Helper()
	_, after, found := strings.Cut(document(t, name), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", name, heading)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

// firstCells returns the code in the first cell of each row of the tables.
func firstCells(markdown string) (cells []string) {
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(markdown, -1) {
		cells = append(cells, m[1])
	}
	return cells
}

func TestReadme_QueryWorksAsItStands(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	if _, failure := run(t, "", "fill", "--url", server.base); failure != "" {
		t.Fatal(failure)
	}
	account := regexp.MustCompile("sign in as `(.+)` with\\s+`(.+)`").FindStringSubmatch(document(t, "README.md"))
	if account == nil {
		t.Fatal("README.md does not say how to sign in")
	}
	const login = `mutation ($email: EmailAddress!, $password: String!) {
		login(input: {email: $email, password: $password}) { tokens { access } } }`
	data := server.must("", login, map[string]any{"email": account[1], "password": account[2]})
	all := blocks(document(t, "README.md"))
	question := slices.IndexFunc(all, func(b block) bool { return b.language == "graphql" })
	token := at(t, data, "login", "tokens", "access").(string)
	answer, err := json.Marshal(map[string]any{"data": server.must(token, all[question].text, nil)})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, all[question], all[question+1], string(answer))
	server.stop()
}

func TestReadme_IsShort(t *testing.T) {
	t.Parallel()
	if n := len(strings.Fields(document(t, "README.md"))); n > 400 {
		t.Errorf("README.md has %d words, want at most 400: details belong into docs", n)
	}
}

func TestContributing_MapsWhatThereIs(t *testing.T) {
	t.Parallel()
	paths := firstCells(section(t, "CONTRIBUTING.md", "Reading the code"))
	if len(paths) < 20 {
		t.Errorf("the map has %d paths: %q", len(paths), paths)
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("the map has %s: %v", path, err)
		}
	}
}

func TestMarkdown_IsTheTableOfOperations(t *testing.T) {
	t.Parallel()
	compareTable(t, "settings", settings.Markdown())
}

func TestLimits_AreTheTableOfOperations(t *testing.T) {
	t.Parallel()
	compareTable(t, "limits", settings.Limits())
}

// compareTable compares a table with the place of docs/operations.md that has its name.
func compareTable(t *testing.T, name, want string) {
	t.Helper()
	_, after, begins := strings.Cut(document(t, "docs/operations.md"), "<!-- "+name+":")
	_, after, _ = strings.Cut(after, "-->\n")
	table, _, ends := strings.Cut(after, "<!-- end of "+name+" -->")
	if !begins || !ends {
		t.Fatalf("docs/operations.md has no place for the table of %s", name)
	}
	if table != want {
		t.Errorf("the table of docs/operations.md differs from the %s. Replace it with:\n%s", name, want)
	}
}

func TestOperations_QuotesTheMessageWithoutPostgreSQL(t *testing.T) {
	t.Parallel()
	message, _, _ := strings.Cut((&pgserver.NotFoundError{}).Error(), "looked in")
	if !strings.Contains(document(t, "docs/operations.md"), message) {
		t.Errorf("docs/operations.md does not have the message as it is:\n%s", message)
	}
}

func TestOperations_ListsTheCommandsOfHelp(t *testing.T) {
	t.Parallel()
	help, failure := run(t, "", "help")
	_, help, found := strings.Cut(help, "\nCommands:\n")
	help, _, _ = strings.Cut(help, "\n\n")
	if failure != "" || !found {
		t.Fatalf("help: %s\n%s", failure, help)
	}
	var inHelp, inDocument []string
	for _, m := range regexp.MustCompile(`(?m)^  ([\w-]+( [\w-]+)*)  `).FindAllStringSubmatch(help, -1) {
		inHelp = append(inHelp, m[1])
	}
	for _, cell := range firstCells(section(t, "docs/operations.md", "Commands")) {
		name, _, _ := strings.Cut(strings.TrimPrefix(cell, "caregraph "), " --")
		inDocument = append(inDocument, name)
	}
	slices.Sort(inHelp)
	slices.Sort(inDocument)
	if len(inHelp) < 7 || !slices.Equal(inHelp, inDocument) {
		t.Errorf("help has %q, docs/operations.md has %q", inHelp, inDocument)
	}
}

// A test or benchmark in backticks is one that exists.
func TestDocs_NameTestsThatExist(t *testing.T) {
	t.Parallel()
	exist := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(`)
	for _, name := range files(t, "_test.go") {
		for _, m := range declared.FindAllStringSubmatch(document(t, name), -1) {
			exist[m[1]] = true
		}
	}
	named := 0
	for _, name := range files(t, ".md") {
		for _, m := range regexp.MustCompile("`((?:Test|Benchmark|Fuzz)[A-Z]\\w*)[`/]").FindAllStringSubmatch(document(t, name), -1) {
			named++
			if !exist[m[1]] {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
	if named < 80 {
		t.Errorf("only %d names of tests were found", named)
	}
}

// A relative link leads to a file of the repository and to one of its headings.
func TestDocs_LinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	found := 0
	for _, name := range files(t, ".md") {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			target, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") {
				continue // another host
			}
			found++
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			} else if heading != "" && !slices.Contains(anchors(document(t, path)), heading) {
				t.Errorf("%s links to %s, and there is no such heading", name, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d links were found", found)
	}
}

// anchors returns the names that links use for the headings of a document.
func anchors(markdown string) (names []string) {
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(markdown, -1) {
		names = append(names, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return names
}

// The files of a cluster in docs/operations.md are those that the drill runs.
func TestOperations_ShowsTheFilesOfTheDrill(t *testing.T) {
	t.Parallel()
	shown := map[string]bool{}
	for _, b := range blocks(section(t, "docs/operations.md", "When one machine is not enough")) {
		shown[b.text] = true
	}
	names := files(t, "")
	names = slices.DeleteFunc(names, func(name string) bool { return filepath.Dir(name) != "packaging/patroni" })
	for _, name := range names {
		if !shown[document(t, name)] {
			t.Errorf("docs/operations.md does not have %s as it is", name)
		}
	}
	if len(names) < 6 {
		t.Errorf("packaging/patroni has only %q", names)
	}
}
