package store_test

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestRows_CountsWhatTheViewerSees: the rows of a list, deleted ones too, as far as the
// viewer sees them; at most most, and of the last minute.
func TestRows_CountsWhatTheViewerSees(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := storetest.New(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
	asha, priya, admin := c.Owner("Asha"), c.DoctorAccount("Priya"), c.Admin("Admin")
	doctor := c.Verify(priya.OwnEntry("Priya"))
	for _, name := range []string{"Arjun", "Meera", "Kiran"} {
		patient := asha.Patient(name)
		asha.Assign(patient, doctor)
	}
	priya.Patient("Nila")
	asha.DeletedPatient("Veer")
	asha.DeletedEntry("Dr. Gone")
	member := join(t, c, asha, c.Owner("Member"), model.LevelSee)
	rows := func(v *model.Viewer, field string, most int) int {
		n, err := c.Store.Rows(t.Context(), v, field, most)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, want := range []struct {
		name, field string
		viewer      *model.Viewer
		most, rows  int
	}{
		{"an owner, also of a deleted one", "patients", asha.Viewer, 100, 4},
		{"a member of the owner's team, without the deleted one", "patients", member, 100, 3},
		{"an owner's mappings", "mappings", asha.Viewer, 100, 3},
		{"a doctor, own and assigned", "patients", priya.Viewer, 100, 4},
		{"an administrator", "patients", admin.Viewer, 100, 4},
		{"the doctors of everyone", "doctors", asha.Viewer, 100, 1},
		{"the doctors that a group counts", "specializations", asha.Viewer, 100, 1},
		{"at most", "mappings", admin.Viewer, 2, 2},
		{"no list", "me", asha.Viewer, 100, 0},
		{"no viewer", "patients", nil, 100, 0},
	} {
		if got := rows(want.viewer, want.field, want.most); got != want.rows {
			t.Errorf("%s: %d rows, want %d", want.name, got, want.rows)
		}
	}
	asha.Patient("Tara")
	now = now.Add(59 * time.Second)
	if got := rows(asha.Viewer, "patients", 100); got != 4 {
		t.Errorf("%d rows before the minute is over", got)
	}
	now = now.Add(time.Second)
	if got := rows(asha.Viewer, "patients", 100); got != 5 {
		t.Errorf("%d rows after a minute", got)
	}
}
