package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

const threeYears = 3 * 366 * 24 * time.Hour

// age moves what has ended or was deleted four years into the past.
func age(c *storetest.Clinic) {
	const four = "interval '4 years'"
	c.Exec("UPDATE mappings SET assigned_at = assigned_at - " + four + ", ended_at = ended_at - " + four + " WHERE NOT is_active")
	c.Exec("UPDATE patients SET deleted_at = deleted_at - " + four + " WHERE deleted_at IS NOT NULL")
	c.Exec("UPDATE doctors SET deleted_at = deleted_at - " + four + " WHERE deleted_at IS NOT NULL")
}

// purgeable returns "table rows" of the tables that have some.
func purgeable(t *testing.T, c *storetest.Clinic) (all []string) {
	t.Helper()
	for _, p := range ok(c.Store.Purgeable(t.Context(), threeYears))(t) {
		if p.Rows > 0 {
			all = append(all, fmt.Sprint(p.Table, " ", p.Rows))
		}
		if (p.Rows == 0) != p.Oldest.IsZero() || (p.Rows == 0) != p.Newest.IsZero() || p.Newest.Before(p.Oldest) || p.Reason == "" {
			t.Errorf("the row of %s is %+v", p.Table, p)
		}
	}
	return all
}

// purgeAll purges, and returns what purgeable returned before.
func purgeAll(t *testing.T, c *storetest.Clinic) (all []string) {
	t.Helper()
	rows := map[string]int64{}
	testutil.Must(t, c.Store.Purge(t.Context(), threeYears, func(table string, n int64) { rows[table] += n }))
	for _, table := range []string{"mappings", "patients", "doctors"} {
		if rows[table] > 0 {
			all = append(all, fmt.Sprint(table, " ", rows[table]))
		}
	}
	return all
}

// TestPurge_RemovesOnlyWhatIsPast, and exactly what Purgeable counts. What it removes is gone for
// everyone, and lists and counts agree.
func TestPurge_RemovesOnlyWhatIsPast(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	former, current := asha.Entry("Dr. Rao"), asha.Entry("Dr. Sen")
	treated, left, gone := asha.Patient("Arjun"), asha.Patient("Banu"), asha.Patient("Chitra")
	ended := asha.Remove(asha.Assign(left, former))
	asha.Remove(asha.Assign(treated, former)) // another mapping of the patient is active
	asha.Assign(treated, current)
	asha.Assign(gone, former)
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, gone.ID, nil))(t)
	ok(c.Store.DeleteDoctor(t.Context(), asha.Viewer, former.ID, nil))(t)
	asha.DeletedEntry("Dr. Das")
	c.Exec("INSERT INTO notices (kind, account_id, patient_id) VALUES ('RECORD_CLAIMED', ?, ?), ('RECORD_CLAIMED', ?, ?)", asha.UserID, gone.ID, asha.UserID, left.ID)
	c.Exec("INSERT INTO grants (kind, level, patient_id, granter_id, code_hash) VALUES ('SELF', 'SEE', ?, ?, '\\x01')", gone.ID, asha.UserID)
	age(c)
	asha.DeletedPatient("Divya") // lately
	asha.DeletedEntry("Dr. Roy")
	asha.Remove(asha.Assign(asha.Patient("Esha"), current))

	want := []string{"mappings 2", "patients 1", "doctors 1"}
	testutil.Equal(t, "purgeable", fmt.Sprint(purgeable(t, c)), fmt.Sprint(want))
	testutil.Equal(t, "purged", fmt.Sprint(purgeAll(t, c)), fmt.Sprint(want))
	testutil.Equal(t, "purged again", len(purgeAll(t, c)), 0)

	both := PatientQuery{Deleted: model.DeletedInclude}
	for what, count := range map[string][2]int{
		"patients": {ok(CountPatients(t.Context(), c.Store, asha.Viewer, both))(t), 4}, // Arjun, Banu, Divya, Esha
		"entries":  {ok(CountDoctors(t.Context(), c.Store, asha.Viewer, DoctorQuery{Deleted: model.DeletedInclude, Mine: new(true)}))(t), 3},
		"mappings": {ok(CountMappings(t.Context(), c.Store, asha.Viewer, MappingQuery{}))(t), 3},
		"notices":  {rowsOf(t, c, "SELECT count(*) FROM notices WHERE patient_id IS NOT NULL"), 1},
		"grants":   {rowsOf(t, c, "SELECT count(*) FROM grants"), 0},
	} {
		testutil.Equal(t, what, count[0], count[1])
	}
	list := ok(Patients(t.Context(), c.Store, asha.Viewer, both))(t)
	testutil.Equal(t, "listed patients", len(list.Rows), 4)
	wantCode(t, errOf(Mapping(t.Context(), c.Store, asha.Viewer, ended.ID)), model.CodeNotFound, "id")
	wantCode(t, errOf(c.Store.RestorePatient(t.Context(), asha.Viewer, gone.ID)), model.CodeNotFound, "id")
}

// TestPurgeable_ChangesNothing, by the counters of PostgreSQL.
func TestPurgeable_ChangesNothing(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.DeletedPatient("Arjun")
	age(c)
	changes := func() string {
		c.Exec("SELECT pg_stat_force_next_flush()")
		var all []string
		testutil.Must(t, c.DB.NewRaw(`SELECT concat_ws(' ', relname, n_tup_ins, n_tup_upd, n_tup_del) FROM pg_stat_user_tables ORDER BY relname`).Scan(t.Context(), &all))
		return strings.Join(all, "\n")
	}
	settled := func() string { // the counters of other connections come a moment later
		for before, after := "", changes(); ; before, after = after, changes() {
			if before == after {
				return after
			}
		}
	}
	before := settled()
	testutil.Equal(t, "purgeable", fmt.Sprint(purgeable(t, c)), "[patients 1]")
	testutil.Equal(t, "rows that were written", settled(), before)
}

// TestPurge_GoesOnWhereItWasStopped: each batch of a thousand is durable.
func TestPurge_GoesOnWhereItWasStopped(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Exec(`INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by, deleted_at)
		SELECT 'Patient ' || n, '1990-01-01', 'MALE', '+91', '', '+91', ?, now() - interval '4 years' FROM generate_series(1, 2500) AS n`, asha.UserID)
	ctx, cancel := context.WithCancel(t.Context())
	err := c.Store.Purge(ctx, threeYears, func(_ string, rows int64) {
		testutil.Equal(t, "rows of a batch", rows, 1000)
		cancel()
	})
	testutil.Equal(t, "error", err, context.Canceled)
	testutil.Equal(t, "purgeable", fmt.Sprint(purgeable(t, c)), "[patients 1500]")
	testutil.Equal(t, "purged", fmt.Sprint(purgeAll(t, c)), "[patients 1500]")
}

// TestPurge_DevicesLearnOfIt: those who see the patient ask for its mappings again.
func TestPurge_DevicesLearnOfIt(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, helper, stranger := c.Owner("Asha"), c.Owner("Helper"), c.Owner("Stranger")
	patient := asha.Patient("Arjun")
	asha.Remove(asha.Assign(patient, asha.Entry("Dr. Rao")))
	c.Exec("INSERT INTO grants (kind, level, granter_id, account_id, accepted_at) VALUES ('TEAM', 'SEE', ?, ?, now())", asha.UserID, helper.UserID)
	helper.Grants = model.HoldsTeam | model.NamedInGrant
	stranger.Patient("Banu")
	age(c)
	devices := map[*storetest.Account]*device{}
	for _, who := range []*storetest.Account{asha, helper, stranger} {
		devices[who] = newDevice(t, c, who.Viewer, 100)
		devices[who].sync()
	}
	testutil.Equal(t, "purged", fmt.Sprint(purgeAll(t, c)), "[mappings 1]")
	devices[asha].wants("the owner", globalID(patient))
	devices[helper].wants("the team", globalID(patient))
	devices[stranger].wants("a stranger", []string{}...)
}

// TestRaces_PurgeKeepsWhatComesBack: an owner restores a patient while the purge waits for
// the row.
func TestRaces_PurgeKeepsWhatComesBack(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	patient := asha.DeletedPatient("Arjun")
	age(c)
	err := duringTransaction(t, c, fmt.Sprintf("UPDATE patients SET deleted_at = NULL WHERE id = %d", patient.ID), func() error {
		return c.Store.Purge(t.Context(), threeYears, func(table string, rows int64) {
			testutil.Equal(t, "purged "+table, rows, 0)
		})
	})
	testutil.Equal(t, "error", err, nil)
	testutil.Equal(t, "patients", rowsOf(t, c, "SELECT count(*) FROM patients"), 1)
}

// TestPurge_KnowsEveryForeignKey: a new table that names a record fails here, until someone
// decides what the purge does with its rows.
func TestPurge_KnowsEveryForeignKey(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	var keys []string
	testutil.Must(t, c.DB.NewRaw(`SELECT conrelid::regclass || ' to ' || confrelid::regclass || CASE confdeltype WHEN 'c' THEN ', cascades' ELSE '' END
		FROM pg_constraint WHERE contype = 'f' AND confrelid IN ('patients'::regclass, 'doctors'::regclass, 'mappings'::regclass) ORDER BY 1`).Scan(t.Context(), &keys))
	want := []string{"grants to patients, cascades", "mappings to doctors", "mappings to patients"}
	if !slices.Equal(keys, want) {
		t.Errorf("foreign keys are %q, want %q", keys, want)
	}
}
