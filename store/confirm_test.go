package store_test

import (
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestReadConfirming_RefusesAtOnce whatever is read, and with nothing to read.
func TestReadConfirming_RefusesAtOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := treated(c)
	patient := ok(c.Store.Level("Patient"))(t)
	doctor := ok(c.Store.Level("Doctor"))(t)
	list := func() *store.Read { return ok(patient.ReadPatients(asha.Viewer, store.PatientQuery{}))(t) }
	reads := map[string]func() []*store.Read{
		"nothing":           func() []*store.Read { return nil },
		"a list":            func() []*store.Read { return []*store.Read{list()} },
		"an empty list":     func() []*store.Read { return []*store.Read{patient.ReadByIDs([]int64{999})} },
		"a record":          func() []*store.Read { return []*store.Read{doctor.ReadOne(1)} },
		"a count":           func() []*store.Read { return []*store.Read{list().Count()} },
		"specializations":   func() []*store.Read { return []*store.Read{doctor.ReadSpecializations()} },
		"a count, a list":   func() []*store.Read { return []*store.Read{list().Count(), list()} },
		"a list, its count": func() []*store.Read { return []*store.Read{list(), list().Count()} },
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
		for what, ask := range reads {
			wanted := ask()
			got := ok(c.Store.ReadConfirming(t.Context(), asha.Viewer, wanted))(t)
			want := change.want(asha.Viewer)
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s, %s: confirmed as %v, want %v", change.what, what, got, want)
			}
			for _, read := range wanted {
				if given := read.Rows != nil; given != (want == asha.Viewer) {
					t.Errorf("%s, %s: rows are given out: %v", change.what, what, given)
				}
			}
		}
		c.Exec(change.undo)
	}
}

func nobody(*model.Viewer) *model.Viewer { return nil }

// TestReadConfirming_SessionThatComesBack: an account that is made active again
// between the read and the question who it is now gets what it asked for.
func TestReadConfirming_SessionThatComesBack(t *testing.T) {
	t.Parallel()
	back := &watch{}
	c := storetest.New(t, func(o *store.Options) { o.Tracer = back })
	asha := treated(c)
	patient := ok(c.Store.Level("Patient"))(t)
	c.Exec("UPDATE users SET is_active = FALSE")
	back.before = func(sql string) {
		if strings.HasPrefix(sql, "SELECT u.id, u.role") {
			c.Exec("UPDATE users SET is_active = TRUE")
		}
	}
	read := ok(patient.ReadPatients(asha.Viewer, store.PatientQuery{}))(t)
	v := ok(c.Store.ReadConfirming(t.Context(), asha.Viewer, []*store.Read{read}))(t)
	switch {
	case v == nil: // refused, as it was
	case read.Rows == nil:
		t.Error("the viewer was confirmed, but nothing was read")
	case read.Rows.Len() != 1:
		t.Errorf("%d patients were read", read.Rows.Len())
	}
}
