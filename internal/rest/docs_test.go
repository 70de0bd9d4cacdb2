package rest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestDocs_NameTestsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/rest.md")
	testutil.Must(t, err)
	files, err := filepath.Glob("*_test.go")
	testutil.Must(t, err)
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		testutil.Must(t, err)
		code.Write(text)
	}
	for _, name := range regexp.MustCompile(`(Test|Benchmark)\w+`).FindAllString(string(page), -1) {
		if !strings.Contains(code.String(), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
}
