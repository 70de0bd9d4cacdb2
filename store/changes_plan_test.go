package store_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

// feedScan finds how a plan reads the feed, with the line of the condition.
var feedScan = regexp.MustCompile(`(Seq Scan|Index Only Scan using \w+|Index Scan using \w+|Bitmap Heap Scan) on change_feed.*\n[^\n]*`)

var ofOnePatient = regexp.MustCompile(`Index Cond: \(\(patient = patient(_\d+)?\.id\)`)

// The catch-up asks the feed for each patient of the viewer. It never reads what others
// have changed.
func TestFeed_CatchUpProbesPerPatient(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	one := g.Owner("One")
	one.Patient("Only")
	doctor, entry := g.Doctor("Doctor")
	g.Exec(`INSERT INTO mappings (patient_id, doctor_id, created_by) SELECT id, ?, created_by FROM patients WHERE deleted_at IS NULL ORDER BY id LIMIT 110`, entry.ID)
	g.Exec(`INSERT INTO change_feed (kind, id, patient, accounts) SELECT 'P', id, id, CASE WHEN id % 50 = 0 THEN ARRAY[created_by] END
		FROM patients CROSS JOIN generate_series(1, 5)`)
	g.Exec("ANALYZE")
	snapshot := g.lines(t, "SELECT pg_current_snapshot()::text")[0]
	for who, v := range map[string]*model.Viewer{
		"a large owner":            g.big.Viewer,
		"a small owner":            g.small.Viewer,
		"an owner of one":          one.Viewer,
		"a doctor":                 doctor.Viewer,
		"a member":                 join(t, g.Clinic, g.big, g.Owner("Member"), model.LevelFull),
		"a member who is a doctor": join(t, g.Clinic, g.big, g.DoctorAccount("Assistant"), model.LevelFull),
	} {
		plan := g.planOfChanges(t, "Patient", v, snapshot)
		scans := feedScan.FindAllString(plan, -1)
		for _, scan := range scans {
			probes := ofOnePatient.MatchString(scan)
			named := strings.HasPrefix(scan, "Bitmap Heap Scan") && strings.Contains(plan, "Bitmap Index Scan on change_feed_accounts")
			if !probes && !named {
				t.Errorf("%s reads the feed by\n%s\nin\n%s", who, scan, plan)
			}
		}
		if len(scans) < 2 || wholeTable.MatchString(plan) || strings.Contains(plan, "patients_all_") {
			t.Errorf("%s:\n%s", who, plan)
		}
	}
	for what, plan := range map[string]string{
		"the entries for everyone":          g.planOfChanges(t, "Doctor", one.Viewer, snapshot),
		"the patients for an administrator": g.planOfChanges(t, "Patient", g.boss.Viewer, snapshot),
	} {
		if strings.Contains(plan, "Seq Scan on change_feed") || wholeTable.MatchString(plan) {
			t.Errorf("%s:\n%s", what, plan)
		}
	}
	for _, v := range []*storetest.Account{g.big, g.boss, doctor} {
		for _, typ := range []string{"Patient", "Doctor"} {
			if plan := g.planOfChanges(t, typ, v.Viewer, ""); wholeTable.MatchString(plan) || strings.Contains(plan, "change_feed") {
				t.Errorf("the first load of %s:\n%s", typ, plan)
			}
		}
	}
}

// planOfChanges returns how PostgreSQL finds what has changed.
func (g *grown) planOfChanges(t *testing.T, typ string, v *model.Viewer, since string) string {
	t.Helper()
	st := g.Store.Records().Type(typ).Changed(v, since, 0)
	g.sql(t, "PREPARE q AS "+st.Text.Value())
	defer g.sql(t, "DEALLOCATE q")
	args := make([]string, len(st.Args))
	for i, arg := range st.Args {
		args[i] = "'" + string(arg) + "'"
	}
	return strings.Join(g.lines(t, "EXPLAIN (COSTS OFF) EXECUTE q("+strings.Join(args, ", ")+")"), "\n")
}
