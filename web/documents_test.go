package web

import (
	"strings"
	"testing"
)

// TestDocuments_AreThoseOfThePageOfMails: a server that executes only registered documents
// needs them.
func TestDocuments_AreThoseOfThePageOfMails(t *testing.T) {
	t.Parallel()
	got := Documents()
	if len(got) != 2 || !strings.HasPrefix(got[0], "mutation (") || !strings.Contains(got[0], "confirmEmail(") || !strings.Contains(got[1], "resetPassword(") {
		t.Errorf("%q", got)
	}
	script, err := account.ReadFile("account/account.js")
	if err != nil || strings.Count(string(script), "mutation") != len(got) {
		t.Errorf("the page has other documents, %v", err)
	}
	for _, text := range got {
		if strings.Contains(text, "${") || strings.Contains(text, `\`) || !strings.HasSuffix(text, "}") {
			t.Errorf("the browser sends another text: %q", text)
		}
	}
}
