package store_test

import (
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestFetchConfirming_RefusesAtOnce for every load, and without one.
func TestFetchConfirming_RefusesAtOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := ownerWithMapping(c)
	patient := nodeOf(t, c.Store, "Patient")
	doctor := nodeOf(t, c.Store, "Doctor")
	list := func() *query.Load { return ok(patient.List(asha.Viewer, argsOf(PatientQuery{})))(t) }
	loads := map[string]func() []*query.Load{
		"nothing":           func() []*query.Load { return nil },
		"a list":            func() []*query.Load { return []*query.Load{list()} },
		"an empty list":     func() []*query.Load { return []*query.Load{patient.ByIDs([]int64{999})} },
		"a record":          func() []*query.Load { return []*query.Load{doctor.One(1)} },
		"a count":           func() []*query.Load { return []*query.Load{list().Count()} },
		"specializations":   func() []*query.Load { return []*query.Load{specializations(doctor)} },
		"a count, a list":   func() []*query.Load { return []*query.Load{list().Count(), list()} },
		"a list, its count": func() []*query.Load { return []*query.Load{list(), list().Count()} },
	}
	changes := []struct {
		what, do, undo string
		want           func(*model.Viewer) *model.Viewer
	}{
		{"it lives", "SELECT 1", "SELECT 1", func(v *model.Viewer) *model.Viewer { return v }},
		{"it ended", "UPDATE sessions SET ended_at = now()", "UPDATE sessions SET ended_at = NULL", nobody},
		{"it expired", "UPDATE sessions SET expires_at = now() - interval '1s'", "UPDATE sessions SET expires_at = now() + interval '1h'", nobody},
		{"it is gone", "UPDATE sessions SET id = id || '!'", "UPDATE sessions SET id = trim('!' FROM id)", nobody},
		{"the account is not active", "UPDATE users SET is_active = FALSE", "UPDATE users SET is_active = TRUE", nobody},
		{
			"the role changed", "UPDATE users SET role = 'ADMIN'", "UPDATE users SET role = 'PATIENT'",
			func(v *model.Viewer) *model.Viewer {
				return &model.Viewer{UserID: v.UserID, Role: model.RoleAdmin, SessionID: v.SessionID}
			},
		},
	}
	for _, change := range changes {
		c.Exec(change.do)
		for what, ask := range loads {
			wanted := ask()
			got := ok(fetchConfirming(t.Context(), c.Store, asha.Viewer, wanted))(t)
			want := change.want(asha.Viewer)
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s, %s: confirmed as %v, want %v", change.what, what, got, want)
			}
			for _, load := range wanted {
				if given := load.Rows != nil; given != (want == asha.Viewer) {
					t.Errorf("%s, %s: rows are returned: %v", change.what, what, given)
				}
			}
		}
		c.Exec(change.undo)
	}
}

func nobody(*model.Viewer) *model.Viewer { return nil }

// TestFetchConfirming_SessionThatComesBack: an account that becomes active again between
// the loads and the lookup of the session gets its rows.
func TestFetchConfirming_SessionThatComesBack(t *testing.T) {
	t.Parallel()
	back := &beforeQuery{}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = back })
	asha := ownerWithMapping(c)
	patient := nodeOf(t, c.Store, "Patient")
	c.Exec("UPDATE users SET is_active = FALSE")
	back.do = func(sql string) {
		if strings.HasPrefix(sql, "SELECT u.id, u.role") {
			c.Exec("UPDATE users SET is_active = TRUE")
		}
	}
	load := ok(patient.List(asha.Viewer, argsOf(PatientQuery{})))(t)
	v := ok(fetchConfirming(t.Context(), c.Store, asha.Viewer, []*query.Load{load}))(t)
	switch {
	case v == nil: // refused, as it was
	case load.Rows == nil:
		t.Error("the viewer was confirmed, but nothing was read")
	case load.Rows.Len() != 1:
		t.Errorf("%d patients were read", load.Rows.Len())
	}
}
