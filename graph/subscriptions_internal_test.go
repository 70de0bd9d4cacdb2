package graph

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// TestBell_ForWhomThePolicyAdmits only, as Answer.
func TestBell_ForWhomThePolicyAdmits(t *testing.T) {
	t.Parallel()
	open := &model.Policy{Roots: map[string]model.Relations{"Subscription.changed": model.SignedIn}}
	viewer := model.Viewer{UserID: 1, Role: model.RolePatient}
	for name, tc := range map[string]struct {
		policy    *model.Policy
		isBell    bool
		needsTotp bool
		want      string
	}{
		"open":                  {open, true, false, `{"a":true}`},
		"closed":                {&model.Policy{}, true, false, ""},
		"needs a second factor": {open, true, true, ""},
		"no bell, but a query":  {open, false, false, ""},
	} {
		s := Subscription{
			IsBell: tc.isBell, field: &ast.Field{Name: "changed", Alias: "a"},
			executor: executor{operations: &operations{resolver: resolver{Config: Config{Policy: tc.policy}}}},
		}
		v, got := viewer, ""
		v.NeedsTotp = tc.needsTotp
		if answer := s.Bell(&v); answer != nil {
			got = string(answer.Data)
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
