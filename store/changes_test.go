package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// device keeps the versions of the records that it was given.
type device struct {
	t      *testing.T
	s      *store.Store
	viewer *model.Viewer
	first  int
	types  []model.ChangeType
	cursor *string
	holds  map[string]int
}

func newDevice(t *testing.T, c *storetest.Clinic, v *model.Viewer, first int) *device {
	t.Helper()
	return &device{t: t, s: c.Store, viewer: v, first: first, holds: map[string]int{}}
}

// step asks once and stores the answer.
func (d *device) step() *model.ChangeSet {
	d.t.Helper()
	set := ok(d.s.Changes(d.t.Context(), d.viewer, query.Args{"after": d.cursor, "first": &d.first, "types": d.types}))(d.t)
	if n := len(set.Changed) + len(set.Gone); n > d.first {
		d.t.Errorf("%d entries, asked for %d", n, d.first)
	}
	if set.Reset {
		clear(d.holds)
	}
	for _, id := range set.Changed {
		node := ok(d.s.Get(d.t.Context(), d.viewer, map[model.Kind]string{model.KindPatient: "Patient", model.KindDoctor: "Doctor"}[id.Kind], id.Num))(d.t)
		d.holds[id.String()] = node.(interface{ Life() *model.Lifecycle }).Life().Version
	}
	for _, id := range set.Gone {
		delete(d.holds, id.String())
	}
	d.cursor = &set.Cursor
	return set
}

// sync asks until there is no more, and returns what it was given, in order.
func (d *device) sync() (told []string) {
	d.t.Helper()
	for range 1000 {
		set := d.step()
		if set.Reset {
			told = append(told, "reset")
		}
		for _, id := range set.Changed {
			told = append(told, id.String())
		}
		for _, id := range set.Gone {
			told = append(told, "gone "+id.String())
		}
		if !set.HasMore {
			return told
		}
	}
	d.t.Fatal("the changes have no end")
	return nil
}

// wants syncs, and compares what the device was given.
func (d *device) wants(what string, want ...string) {
	d.t.Helper()
	if told := d.sync(); !slices.Equal(told, want) {
		d.t.Errorf("%s: the device was told %v, want %v", what, told, want)
	}
}

// executor runs statements.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// touch changes a patient by SQL, as an operator does.
func touch(t *testing.T, db executor, p *model.Patient) {
	t.Helper()
	ok(db.ExecContext(t.Context(), fmt.Sprintf("UPDATE patients SET address = address || '.', version = version + 1 WHERE id = %d", p.ID)))(t)
	changed(t, db, model.ChangedPatient, p.ID)
}

func changed(t *testing.T, db executor, kind model.ChangeKind, id int64) {
	t.Helper()
	ok(db.ExecContext(t.Context(), fmt.Sprintf("SELECT caregraph_changed('%s', %d)", kind, id)))(t)
}

func globalID(p model.Node) string { return p.NodeID().String() }

// A row that is older than the last one seen, but committed after it, comes with the next
// step.
func TestFeed_LateCommitsAreNotLost(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	late, early := asha.Patient("Late"), asha.Patient("Early")
	phone := newDevice(t, c, asha.Viewer, 100)
	phone.sync()

	tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
	touch(t, tx, late)
	touch(t, c.DB, early)
	phone.wants("while the first transaction runs", globalID(early))
	phone.wants("nothing new", []string{}...)
	testutil.Must(t, tx.Commit())
	phone.wants("after its commit", globalID(late))
	phone.wants("once", []string{}...)
}

func TestFeed_ForeignTransactionDoesNotStall(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	patient := asha.Patient("Arjun")
	foreign := ok(connect(t, storetest.EmptyDatabase(t)).BeginTx(t.Context(), nil))(t)
	defer func() { _ = foreign.Rollback() }()
	ok(foreign.ExecContext(t.Context(), "CREATE TABLE held ()"))(t)

	phone := newDevice(t, c, asha.Viewer, 100)
	phone.sync()
	for range 3 {
		touch(t, c.DB, patient)
		phone.wants("while a transaction of another database runs", globalID(patient))
		phone.wants("once", []string{}...)
	}
}

// On a standby a running transaction looks like an ended one, so a cursor of it would lose
// its changes.
func TestFeed_RefusesStandby(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Exec("CREATE SCHEMA standby")
	c.Exec("CREATE FUNCTION standby.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'")
	var failures []store.Failure
	s := opened(t, c.URL+separator(c.URL)+"search_path=standby,pg_catalog,public", store.Options{
		Connections: 2, Secrets: storetest.Secrets(), OnFailure: func(_ context.Context, f store.Failure) { failures = append(failures, f) },
	})
	_, err := s.Changes(t.Context(), asha.Viewer, nil)
	wantCode(t, err, model.CodeUnavailable)
	if len(failures) != 1 || failures[0].Cause != store.CauseReadOnly {
		t.Errorf("reported %v", failures)
	}
	ok(c.Store.Changes(t.Context(), asha.Viewer, nil))(t)
}

// A managed service may not say which cluster it is. The epoch alone counts then.
func TestFeed_WithoutControlFunctions(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	patient := asha.Patient("Arjun")
	c.Exec("CREATE SCHEMA managed")
	c.Exec("CREATE FUNCTION managed.pg_current_wal_lsn() RETURNS pg_lsn LANGUAGE plpgsql AS $$BEGIN RAISE SQLSTATE '0A000'; END$$")
	phone := newDevice(t, c, asha.Viewer, 100)
	phone.s = opened(t, c.URL+separator(c.URL)+"search_path=managed,pg_catalog,public", store.Options{Connections: 2, Secrets: storetest.Secrets()})
	phone.wants("at first", "reset", globalID(patient))
	touch(t, c.DB, patient)
	phone.wants("a change", globalID(patient))
	c.Exec("UPDATE feed_state SET epoch = gen_random_uuid()")
	phone.wants("a new epoch", "reset", globalID(patient))
}

// What changes behind a page that the device has read comes in the next round.
func TestChanges_BehindThePageComeInTheNextRound(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	var all []*model.Patient
	for i := range 9 {
		all = append(all, asha.Patient(fmt.Sprint("Patient ", i)))
	}
	phone := newDevice(t, c, asha.Viewer, 4)
	phone.sync()
	for _, p := range all {
		touch(t, c.DB, p)
	}
	first := phone.step()
	testutil.Equal(t, "more behind the first page", first.HasMore, true)
	touch(t, c.DB, all[0])
	told := phone.sync()
	if !slices.Equal(told[:5], []string{globalID(all[4]), globalID(all[5]), globalID(all[6]), globalID(all[7]), globalID(all[8])}) || !slices.Contains(told[5:], globalID(all[0])) {
		t.Errorf("told %v after the first page", told)
	}
	touch(t, c.DB, all[0])
	if phone.sync(); phone.holds[globalID(all[0])] != 4 {
		t.Errorf("holds version %d", phone.holds[globalID(all[0])])
	}

	// The same for the first load.
	fresh := newDevice(t, c, asha.Viewer, 4)
	fresh.step()
	touch(t, c.DB, all[1])
	if told := fresh.sync(); !slices.Contains(told, globalID(all[1])) || slices.Contains(told, "reset") {
		t.Errorf("the first load: %v", told)
	}
}

// A stranger hears nothing, whether the clinic is busy or empty.
func TestChanges_StrangerHearsNothing(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	doctor, entry := c.Doctor("Priya")
	phone := newDevice(t, c, c.Stranger().Viewer, 1)
	phone.types = []model.ChangeType{model.ChangesOfPatients}
	quiet := phone.step()
	patient := asha.Patient("Arjun")
	mapping := asha.Assign(patient, entry)
	for _, change := range []func(){
		func() { touch(t, c.DB, patient) },
		func() { changed(t, c.DB, model.ChangedMapping, mapping.ID) },
		func() { asha.Remove(mapping); changed(t, c.DB, model.ChangedMapping, mapping.ID) },
		func() { changed(t, c.DB, model.ChangedUser, doctor.UserID) },
		func() {
			ok(c.Store.DeletePatient(t.Context(), asha.Viewer, patient.ID, nil))(t)
			changed(t, c.DB, model.ChangedPatient, patient.ID)
		},
	} {
		change()
		busy := phone.step()
		if len(busy.Changed)+len(busy.Gone) > 0 || busy.Reset || busy.HasMore || len(busy.Cursor) != len(quiet.Cursor) {
			t.Errorf("the stranger gets %+v", busy)
		}
	}
}

func TestChanges_GoneNamesOnlyWhatCouldBeSeen(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, verified := c.Doctor("Priya")
	neha := c.DoctorAccount("Neha")
	unverified := neha.OwnEntry("Dr. Neha")
	patient := asha.Patient("Arjun")
	for _, entry := range []*model.Doctor{verified, unverified} {
		changed(t, c.DB, model.ChangedMapping, asha.Assign(patient, entry).ID)
	}
	claimant, phones := c.Owner("Claimant"), map[string]*device{}
	c.Exec(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, accepted_at) VALUES ('SELF', 'CLINICAL', ?, ?, ?, now())`, patient.ID, asha.UserID, claimant.UserID)
	for name, v := range map[string]*model.Viewer{
		"owner": asha.Viewer, "doctor": priya.Viewer, "unverified": neha.Viewer, "admin": c.Admin("Boss").Viewer,
		"member": join(t, c, asha, c.Owner("Member"), model.LevelSee), "the patient": ok(c.Store.SessionViewer(t.Context(), claimant.SessionID))(t),
	} {
		phones[name] = newDevice(t, c, v, 100)
		phones[name].types = []model.ChangeType{model.ChangesOfPatients}
		phones[name].sync()
	}
	if phones["unverified"].holds[globalID(patient)] != 0 || phones["doctor"].holds[globalID(patient)] == 0 {
		t.Fatalf("the doctors hold %v and %v", phones["unverified"].holds, phones["doctor"].holds)
	}
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, patient.ID, nil))(t)
	changed(t, c.DB, model.ChangedPatient, patient.ID)
	gone := "gone " + globalID(patient)
	phones["owner"].wants("the owner", gone)
	phones["doctor"].wants("the doctor", gone)
	phones["admin"].wants("the administrator", gone)
	phones["member"].wants("a member of the owner's team", gone)
	phones["the patient"].wants("the patient", gone)
	phones["unverified"].wants("the account of an unverified entry", []string{}...)

	ok(c.Store.RestorePatient(t.Context(), asha.Viewer, patient.ID))(t)
	changed(t, c.DB, model.ChangedPatient, patient.ID)
	phones["owner"].wants("the owner after it was restored", globalID(patient))
	phones["doctor"].wants("the doctor, whose mapping has ended", []string{}...)
	phones["admin"].wants("the administrator after it was restored", globalID(patient))
	phones["member"].wants("a member of the team after it was restored", globalID(patient))
}

// The end of a mapping takes the patient from the doctor, and another field of the
// mapping counts as a change of the patient.
func TestChanges_OfMappings(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	priya, entry := c.Doctor("Priya")
	patient := asha.Patient("Arjun")
	phone, owner := newDevice(t, c, priya.Viewer, 100), newDevice(t, c, asha.Viewer, 100)
	phone.sync()
	owner.sync()

	mapping := asha.Assign(patient, entry)
	changed(t, c.DB, model.ChangedMapping, mapping.ID)
	phone.wants("assigned", globalID(patient))
	owner.wants("the owner", globalID(patient))
	asha.Remove(mapping)
	changed(t, c.DB, model.ChangedMapping, mapping.ID)
	phone.wants("removed", "gone "+globalID(patient))
	owner.wants("the owner", globalID(patient))
	again := asha.Assign(patient, entry)
	changed(t, c.DB, model.ChangedMapping, again.ID)
	phone.wants("assigned again", globalID(patient))
}

func TestChanges_OfDoctorEntries(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	kept, gone := asha.Entry("Dr. Kept"), asha.Entry("Dr. Gone")
	everything, patients := newDevice(t, c, c.Stranger().Viewer, 1), newDevice(t, c, asha.Viewer, 1)
	patients.types = []model.ChangeType{model.ChangesOfPatients}
	everything.wants("at first", "reset", globalID(kept), globalID(gone))
	patients.sync()
	ok(c.Store.DeleteDoctor(t.Context(), asha.Viewer, gone.ID, nil))(t)
	changed(t, c.DB, model.ChangedDoctor, gone.ID)
	changed(t, c.DB, model.ChangedDoctor, kept.ID)
	told := everything.sync()
	if !slices.Equal(told[:2], []string{globalID(kept), "gone " + globalID(gone)}) {
		t.Errorf("told %v", told)
	}
	patients.wants("who follows patients", []string{}...)
}

// A change of the account's standing, or of its grants, starts the device again.
func TestChanges_ResetWithTheStandingOfTheAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, member := c.Owner("Asha"), c.Owner("Member")
	_, entry := c.Doctor("Priya")
	patient := asha.Patient("Arjun")
	phone := newDevice(t, c, member.Viewer, 100)
	phone.types = []model.ChangeType{model.ChangesOfPatients}
	phone.wants("at first", "reset")

	phone.viewer = join(t, c, asha, member, model.LevelSee)
	phone.wants("a place in a team", "reset", globalID(patient))
	touch(t, c.DB, patient)
	phone.wants("a patient of the team's owner", globalID(patient))
	c.Exec("UPDATE grants SET level = 'CLINICAL' WHERE account_id = ?", member.UserID)
	phone.wants("another level", "reset", globalID(patient))
	c.Exec("UPDATE grants SET expires_at = now() WHERE account_id = ?", member.UserID)
	phone.wants("the grant has expired", "reset")

	c.Exec(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, accepted_at) VALUES ('SELF', 'CLINICAL', ?, ?, ?, now())`, patient.ID, asha.UserID, member.UserID)
	phone.wants("a session that does not know of the grant", []string{}...)
	phone.viewer = ok(c.Store.SessionViewer(t.Context(), member.SessionID))(t)
	phone.wants("the own record, claimed", "reset", globalID(patient))
	touch(t, c.DB, patient)
	phone.wants("the own record", globalID(patient))

	role := *phone.viewer
	role.Role = model.RoleDoctor
	phone.viewer = &role
	phone.wants("another role", "reset", globalID(patient))
	changed(t, c.DB, model.ChangedUser, member.UserID)
	phone.wants("the account", "reset", globalID(patient))
	changed(t, c.DB, model.ChangedUser, asha.UserID)
	changed(t, c.DB, model.ChangedDoctor, entry.ID)
	phone.wants("the standing of others", []string{}...)
}

func TestChanges_RefusesBadArguments(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, first := range []int{0, -1, 101} {
		_, err := c.Store.Changes(t.Context(), asha.Viewer, query.Args{"first": &first})
		wantCode(t, err, model.CodeBadUserInput, "first")
	}
	all := ok(c.Store.Changes(t.Context(), asha.Viewer, query.Args{}))(t)
	_, err := c.Store.Changes(t.Context(), asha.Viewer, query.Args{"after": &all.Cursor, "types": []model.ChangeType{model.ChangesOfDoctors}})
	wantCode(t, err, model.CodeInvalidCursor, "after")
	both := []model.ChangeType{model.ChangesOfPatients, model.ChangesOfDoctors}
	ok(c.Store.Changes(t.Context(), asha.Viewer, query.Args{"after": &all.Cursor, "types": both}))(t)
}
