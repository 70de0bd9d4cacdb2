package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/settings"
)

func TestMarkdown_IsTheTableOfTheReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, begins := strings.Cut(string(readme), "<!-- settings:")
	_, after, _ = strings.Cut(after, "-->\n")
	table, _, ends := strings.Cut(after, "<!-- end of settings -->")
	if !begins || !ends {
		t.Fatal("README.md has no place for the table of settings")
	}
	if table != settings.Markdown() {
		t.Errorf("the table of README.md is not this one; put this in its place:\n%s", settings.Markdown())
	}
}
