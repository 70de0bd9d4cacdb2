package model_test

import (
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
)

func TestIsDeepJSON(t *testing.T) {
	t.Parallel()
	nested := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	for text, want := range map[string]bool{
		"": false, "1": false,
		nested("[", "]", 64):                          false,
		nested("[", "]", 65):                          true,
		nested(`{"a":`, "}", 65):                      true,
		nested(`{"a":[`, "]}", 32):                    false,
		nested(`{"a":[`, "]}", 33):                    true,
		"[" + strings.Repeat("[],", 100) + "1]":       false,
		`"` + strings.Repeat("[", 100) + `"`:          false,
		`"\"` + strings.Repeat("[", 100) + `"`:        false,
		`"\\"` + strings.Repeat("[", 100):             true,
		strings.Repeat("]", 100) + nested("[", "", 9): false,
	} {
		if got := model.IsDeepJSON([]byte(text)); got != want {
			t.Errorf("%.40s: %t", text, got)
		}
	}
}
