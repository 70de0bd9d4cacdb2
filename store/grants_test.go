package store_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestGrants_ColumnGivesWhatGoGives compares the generated column with Grant.Gives. The
// kinds that are not built yet have the bits that the column reserves for them.
func TestGrants_ColumnGivesWhatGoGives(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	owner, member := c.Owner("Owner"), c.Owner("Member")
	patient := owner.Patient("Arjun")
	for _, kind := range []model.GrantKind{model.GrantSelf, model.GrantTeam} {
		for _, level := range []model.GrantLevel{model.LevelSee, model.LevelClinical, model.LevelDesk, model.LevelFull} {
			var gives model.Relations
			err := c.DB.NewRaw(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, ended_at)
				VALUES (?0, ?1, CASE WHEN ?0 <> 'TEAM' THEN ?2::bigint END, ?3, ?4, now()) RETURNING gives`,
				string(kind), string(level), patient.ID, owner.UserID, member.UserID).Scan(t.Context(), &gives)
			testutil.Must(t, err)
			if want := (&model.Grant{Kind: kind, Level: level}).Gives(); gives != want {
				t.Errorf("%s %s: the column has %v, Go %v", kind, level, gives.Names(), want.Names())
			}
		}
	}
	var triggers int
	testutil.Must(t, c.DB.NewRaw("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'grants'::regclass AND NOT tgisinternal").Scan(t.Context(), &triggers))
	testutil.Equal(t, "triggers", triggers, 0)
}

// join gives an account a place in the owner's team, and returns its viewer.
func join(t *testing.T, c *storetest.Clinic, owner, member *storetest.Account, level model.GrantLevel) *model.Viewer {
	t.Helper()
	c.Exec(`INSERT INTO grants (kind, level, granter_id, account_id, accepted_at) VALUES ('TEAM', ?, ?, ?, now())`, string(level), owner.UserID, member.UserID)
	return ok(c.Store.SessionViewer(t.Context(), member.SessionID))(t)
}

// An index does not have the rows of several owners in the order of a list. A list of a
// member reads the first rows of each owner, however many there are, and reads the grants
// once: an owner comes with the relations to its rows.
func TestGrants_ListsAreIndexReads(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	one := g.Owner("One")
	one.Patient("Only")
	claimant := g.Owner("Claimant")
	g.Exec(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, accepted_at)
		SELECT 'SELF', 'CLINICAL', min(id), created_by, ?, now() FROM patients WHERE created_by = ? AND deleted_at IS NULL GROUP BY created_by`, claimant.UserID, g.big.UserID)
	viewers := map[string]*model.Viewer{
		"of a large owner":        join(t, g.Clinic, g.big, g.Owner("OfBig"), model.LevelFull),
		"of an owner of one":      join(t, g.Clinic, one, g.Owner("OfOne"), model.LevelFull),
		"who is a doctor":         join(t, g.Clinic, g.big, g.DoctorAccount("Doctor"), model.LevelSee),
		"the patient of a clinic": ok(g.Store.SessionViewer(t.Context(), claimant.SessionID))(t),
	}
	page := model.PageArgs{First: new(20)}
	buffers := map[string]map[string]int{}
	for _, list := range []struct {
		what, typ string
		args      query.Args
		want      string
	}{
		{"patients", "Patient", argsOf(PatientQuery{Page: page}), "patients_created"},
		{"patients by name", "Patient", argsOf(PatientQuery{Page: page, OrderBy: model.PatientsByName}), "patients_name"},
		{"mappings", "Mapping", argsOf(MappingQuery{Page: page, Descending: true}), "mappings_"},
	} {
		buffers[list.what] = map[string]int{}
		for who, v := range viewers {
			node := nodeOf(t, g.Store, list.typ)
			node.Record().Relations()
			load := ok(node.List(v, list.args))(t)
			plan := g.plan(t, v, load)
			if scans := strings.Count(plan, " on grants"); strings.HasPrefix(who, "of ") && scans != 1 {
				t.Errorf("%s for a member %s: %d scans of grants:\n%s", list.what, who, scans, plan)
			}
			if wholeTable.MatchString(plan) || strings.Contains(plan, "patients_all_") || !strings.Contains(plan, list.want) {
				t.Errorf("%s for a member %s: want %s:\n%s", list.what, who, list.want, plan)
			}
			buffers[list.what][who] = g.buffers(t, v, load)
		}
	}
	for _, what := range []string{"patients", "patients by name"} {
		large, small := buffers[what]["of a large owner"], buffers[what]["of an owner of one"]
		if large > small+2*20+5 { // a row and its page of the index for each of the 20 patients
			t.Errorf("%s: %d buffers for a large owner, %d for a small one", what, large, small)
		}
	}
}

// buffers returns how many buffers a load reads.
func (g *grown) buffers(t *testing.T, v *model.Viewer, load *query.Load) int {
	t.Helper()
	statements := ok(store.Statements(v, load))(t)
	st := statements[len(statements)-1]
	g.sql(t, "PREPARE q AS "+st.Text)
	defer g.sql(t, "DEALLOCATE q")
	call := "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) EXECUTE q('" + strings.Join(st.Args, "', '") + "')"
	g.lines(t, call) // warm
	found := regexp.MustCompile(`Buffers: shared hit=(\d+)`).FindStringSubmatch(strings.Join(g.lines(t, call), "\n"))
	return ok(strconv.Atoi(found[1]))(t)
}

// Two servers share a database. A right ends with the next statement on both, also
// if their caches do not know yet.
func TestGrants_EndOnEveryServerWithTheNextStatement(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	other := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2}))(t)
	t.Cleanup(other.Close)
	owner, member := c.Owner("Owner"), c.Owner("Member")
	owner.Patient("Arjun")
	owner.Patient("Banu")
	for what, end := range map[string]func(id int64) error{
		"ended":   func(id int64) error { _, err := other.EndGrant(t.Context(), owner.Viewer, id, nil); return err },
		"expired": func(id int64) error { c.Exec("UPDATE grants SET expires_at = now() WHERE id = ?", id); return nil },
	} {
		v := join(t, c, owner, member, model.LevelSee)
		first := ok(Patients(t.Context(), c.Store, v, PatientQuery{Page: model.PageArgs{First: new(1)}}))(t)
		if len(first.Rows) != 1 || !first.HasNext {
			t.Fatalf("%s: the first page has %d rows", what, len(first.Rows))
		}
		var id int64
		testutil.Must(t, c.DB.NewRaw("SELECT max(id) FROM grants").Scan(t.Context(), &id))
		testutil.Must(t, end(id))
		after := first.Cursor(first.Rows[0])
		second := ok(Patients(t.Context(), c.Store, v, PatientQuery{Page: model.PageArgs{First: new(1), After: &after}}))(t)
		if len(second.Rows) != 0 {
			t.Errorf("%s: the second page has %d rows", what, len(second.Rows))
		}
		c.Exec("UPDATE grants SET ended_at = now() WHERE ended_at IS NULL")
	}
}

// A viewer from before a grant sees it once its session is looked up again.
func TestGrants_NewOneChangesTheViewer(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	owner, member := c.Owner("Owner"), c.Owner("Member")
	owner.Patient("Arjun")
	before := ok(c.Store.SessionViewer(t.Context(), member.SessionID))(t)
	v := join(t, c, owner, member, model.LevelSee)
	if *before == *v || !v.Grants.Any(model.HoldsTeam) {
		t.Fatalf("the viewer before is %+v, and now %+v", before, v)
	}
	given := ok(c.Store.SessionViewer(t.Context(), owner.SessionID))(t)
	testutil.Equal(t, "the owner", given.Grants, model.NamedInGrant)
}
