package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// dataset has all rows, read without rules.
type dataset struct {
	viewers     map[string]*model.Viewer
	users       []*model.User
	doctors     []*model.Doctor
	patients    map[int64]*model.Patient
	mappings    []*model.Mapping
	transfers   []*model.Transfer
	assignments map[int64][]store.Assignment
	care        []store.Care
	grants      store.Grants
	accounts    sync.Map // relations to accounts, by viewer and id
}

// populate inserts every kind of account, entry, patient and mapping, also some that
// the store would refuse.
func populate(t *testing.T, c *storetest.Clinic) *dataset {
	t.Helper()
	asha, stranger, odd := c.Owner("Asha"), c.Stranger(), c.Owner("Odd")
	priya, meera, dual, unlinked := c.DoctorAccount("Priya"), c.DoctorAccount("Meera"), c.DoctorAccount("Dual"), c.DoctorAccount("Unlinked")
	boss, gone := c.Admin("Boss"), c.DoctorAccount("Gone")
	c.Exec("UPDATE users SET is_active = FALSE WHERE id = ?", gone.UserID)

	entries := []*model.Doctor{
		entry(c, asha, priya, "verified"),
		entry(c, asha, priya, "verified deleted"),
		entry(c, priya, meera, ""),
		entry(c, priya, meera, "verified deleted"),
		entry(c, asha, nil, "verified"),
		entry(c, odd, odd, "verified"), // an account that is no doctor's
		entry(c, meera, boss, "verified"),
		entry(c, dual, dual, "verified"),
		entry(c, dual, gone, "verified"),
	}
	for _, owner := range []*storetest.Account{asha, dual} {
		for _, deleted := range []bool{false, true} {
			addPatients(t, c, owner, deleted, entries)
		}
	}
	addNamed(c, asha, meera, entries)
	for _, pair := range [][2]*storetest.Account{{asha, stranger}, {priya, asha}, {boss, dual}, {meera, priya}, {gone, boss}} {
		c.Exec(`INSERT INTO transfers (from_id, to_id, sender, patient_count, reason, expires_at, needs_approval) VALUES (?, ?, '', 1, '', now(), FALSE)`,
			pair[0].UserID, pair[1].UserID)
	}
	w := &dataset{viewers: map[string]*model.Viewer{
		"nobody": nil, "owner": asha.Viewer, "stranger": stranger.Viewer, "account linked against the rules": odd.Viewer,
		"doctor with a verified and a deleted entry": priya.Viewer, "doctor with an unverified entry": meera.Viewer,
		"doctor who owns patients": dual.Viewer, "doctor without an entry": unlinked.Viewer, "administrator": boss.Viewer,
		"account that is not active": inactive(t, c, gone), "account that does not exist": {UserID: 999_999, Role: model.RoleDoctor},
	}}
	addGrants(t, c, w, asha, dual, priya)
	w.read(t, c)
	return w
}

// addGrants gives places in the teams of two owners, and claims of records, to accounts of
// every role and in every state, and adds their viewers.
func addGrants(t *testing.T, c *storetest.Clinic, w *dataset, asha, dual, priya *storetest.Account) {
	t.Helper()
	team := func(owner, member *storetest.Account, level, state string) {
		c.Exec(`INSERT INTO grants (kind, level, granter_id, account_id, accepted_at, expires_at, ended_at)
			VALUES ('TEAM', ?, ?, ?, CASE WHEN ? <> 'offered' THEN now() END, CASE ? WHEN 'expired' THEN now() - interval '1 second'
			WHEN 'expiring' THEN now() + interval '1 day' END, CASE WHEN ? = 'ended' THEN now() END)`,
			level, owner.UserID, member.UserID, state, state, state)
	}
	claim := func(owner, member *storetest.Account, state string) {
		c.Exec(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, accepted_at, ended_at)
			SELECT 'SELF', 'CLINICAL', min(id), created_by, ?, now(), CASE WHEN ? = 'ended' THEN now() END FROM patients
			WHERE created_by = ? AND deleted_at IS NULL GROUP BY created_by`, member.UserID, state, owner.UserID)
	}
	add := func(name string, member *storetest.Account) {
		w.viewers[name] = ok(c.Store.SessionViewer(t.Context(), member.SessionID))(t)
	}
	for _, level := range []string{"SEE", "CLINICAL", "DESK", "FULL"} {
		member := c.Owner("Member" + level)
		team(asha, member, level, "accepted")
		add("member of a team, "+level, member)
	}
	for _, state := range []string{"offered", "expired", "expiring", "ended"} {
		member := c.Owner("Member" + state)
		team(asha, member, "FULL", state)
		add("member of a team, "+state, member)
	}
	left := c.Owner("MemberWhoLeft")
	team(asha, left, "FULL", "ended")
	team(dual, left, "SEE", "accepted")
	add("member of a team who left another", left)
	both := c.Owner("MemberOfTwo")
	both.Patient("Own")
	team(asha, both, "SEE", "accepted")
	team(dual, both, "FULL", "accepted")
	claim(dual, both, "accepted")
	claim(asha, both, "accepted")
	add("member of two teams who owns a record and claimed one of each team", both)
	friend := c.Owner("Friend")
	team(both, friend, "FULL", "accepted")
	add("member of the team of a member", friend)
	for _, state := range []string{"accepted", "ended"} {
		patient := c.Owner("Patient" + state)
		claim(asha, patient, state)
		add("patient whose claim is "+state, patient)
	}
	team(dual, priya, "DESK", "accepted")
	add("doctor with a verified and a deleted entry", priya)
	team(asha, dual, "CLINICAL", "accepted")
	add("doctor who owns patients", dual)
	add("owner", asha)
}

func inactive(t *testing.T, c *storetest.Clinic, gone *storetest.Account) *model.Viewer {
	t.Helper()
	return ok(c.Store.SessionViewer(t.Context(), gone.SessionID))(t)
}

func entry(c *storetest.Clinic, by, account *storetest.Account, state string) *model.Doctor {
	d := by.Entry("Dr. " + state)
	c.Exec("UPDATE doctors SET is_verified = ?, deleted_at = CASE WHEN ? THEN now() END WHERE id = ?",
		strings.Contains(state, "verified"), strings.Contains(state, "deleted"), d.ID)
	if account != nil {
		c.Exec("UPDATE doctors SET account_id = ? WHERE id = ?", account.UserID, d.ID)
	}
	return d
}

// addPatients inserts patients of the owner with every combination of one entry and the
// state of its mapping, with all entries, and with none.
func addPatients(t *testing.T, c *storetest.Clinic, owner *storetest.Account, deleted bool, entries []*model.Doctor) {
	t.Helper()
	add := func(active, ended []*model.Doctor) {
		p := owner.Patient("Arjun")
		for i, d := range slices.Concat(active, ended) {
			c.Exec(`INSERT INTO mappings (patient_id, doctor_id, is_active, ended_at, created_by)
				VALUES (?, ?, ?, CASE WHEN NOT ? THEN now() END, ?)`, p.ID, d.ID, i < len(active), i < len(active), owner.UserID)
		}
		if deleted {
			c.Exec("UPDATE patients SET deleted_at = now() WHERE id = ?", p.ID)
		}
	}
	add(nil, nil)
	add(entries, nil)
	add(nil, entries)
	for i := range entries {
		add(entries[i:i+1], nil)
		add(nil, entries[i:i+1])
		add(entries[i:i+1], entries[i:i+1])
	}
}

// addNamed inserts accounts that are named once: by a deleted entry of Meera's, by a
// patient or by a mapping.
func addNamed(c *storetest.Clinic, asha, meera *storetest.Account, entries []*model.Doctor) {
	entry(c, c.Owner("Maker"), meera, "verified deleted")
	for i, of := range []struct {
		owner           *storetest.Account // nil: an account that nothing else names
		entry           *model.Doctor
		active, deleted bool
	}{
		{entry: entries[0], active: true}, // of Priya, verified
		{entry: entries[0]},
		{entry: entries[0], active: true, deleted: true},
		{entry: entries[1], active: true}, // of Priya, deleted
		{entry: entries[2], active: true}, // of Meera, unverified
		{entry: entries[5], active: true}, // of an account that is no doctor's
		{owner: asha, entry: entries[4]},
		{owner: asha, entry: entries[4], active: true, deleted: true},
	} {
		owner, by := of.owner, c.Owner(fmt.Sprintf("Scribe%d", i))
		if owner == nil {
			owner = c.Owner(fmt.Sprintf("Named%d", i))
		}
		p := owner.Patient("Arjun")
		c.Exec(`INSERT INTO mappings (patient_id, doctor_id, is_active, ended_at, created_by)
			VALUES (?, ?, ?, CASE WHEN NOT ? THEN now() END, ?)`, p.ID, of.entry.ID, of.active, of.active, by.UserID)
		c.Exec("UPDATE patients SET deleted_at = CASE WHEN ? THEN now() END WHERE id = ?", of.deleted, p.ID)
	}
}

func (w *dataset) read(t *testing.T, c *storetest.Clinic) {
	t.Helper()
	var patients []*model.Patient
	for _, rows := range []any{&w.users, &w.doctors, &patients, &w.mappings, &w.transfers, &w.grants.All} {
		if err := c.DB.NewSelect().Model(rows).Scan(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.grants.Now = time.Now()
	doctors := map[int64]*model.Doctor{}
	for _, d := range w.doctors {
		doctors[d.ID] = d
	}
	w.patients, w.assignments = map[int64]*model.Patient{}, map[int64][]store.Assignment{}
	for _, p := range patients {
		w.patients[p.ID] = p
	}
	for _, m := range w.mappings {
		w.assignments[m.PatientID] = append(w.assignments[m.PatientID], store.Assignment{Mapping: m, Doctor: doctors[m.DoctorID]})
	}
	for id, p := range w.patients {
		w.care = append(w.care, store.Care{Patient: p, Assignments: w.assignments[id]})
	}
}
