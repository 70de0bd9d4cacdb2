package store_test

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// grown is a clinic with enough rows for PostgreSQL to prefer indexes: one owner has a
// tenth of 20,000 patients, each patient has three mappings, and one in a hundred is
// deleted.
type grown struct {
	*storetest.Clinic

	boss, big, small *storetest.Account
	conn             *sql.Conn
}

func newGrown(t *testing.T) *grown {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: PostgreSQL makes the plans, and filling its database takes seconds")
	}
	c := storetest.Open(t, storetest.Filled(t, "grown", grow))
	account := func(name string, role model.Role) *storetest.Account {
		v := &model.Viewer{Role: role}
		testutil.Must(t, c.DB.NewRaw("SELECT id FROM users WHERE username = ?", name).Scan(t.Context(), &v.UserID))
		return &storetest.Account{Viewer: v}
	}
	g := &grown{Clinic: c, boss: account("Boss", model.RoleAdmin), big: account("Big", model.RolePatient), small: account("Small", model.RolePatient)}
	conn := ok(connect(t, c.URL).Conn(t.Context()))(t)
	t.Cleanup(func() { _ = conn.Close() })
	g.conn = conn
	for _, set := range store.PlanSettings() {
		g.sql(t, set)
	}
	return g
}

// grow fills the database of grown.
func grow(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `INSERT INTO users (username, email, role, password_hash)
		VALUES ('Boss', 'boss@clinic.example', 'ADMIN', '!'), ('Big', 'big@clinic.example', 'PATIENT', '!'), ('Small', 'small@clinic.example', 'PATIENT', '!');
	INSERT INTO users (username, email, role, password_hash) SELECT 'u' || n, 'u' || n || '@clinic.example', 'PATIENT', '!' FROM generate_series(1, 400) AS n;
	INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by, created_at, deleted_at)
		SELECT (ARRAY['Arjun', 'Sunita', 'Imran', 'Lakshmi', 'Harpreet'])[1 + n % 5] || ' ' || (ARRAY['Sharma', 'Iyer', 'Khan', 'Reddy', 'Nair', 'Patel', 'Singh'])[1 + n % 7],
			'1990-01-01', 'MALE', '+9198' || 10000000 + n, 'Flat ' || n || repeat(', Station Road', 9), '+9197', CASE WHEN n % 10 = 0 THEN big.id ELSE small.id + n % 400 END,
			timestamptz '2020-01-01' + n * interval '1 minute', CASE WHEN n % 100 < 2 THEN now() END
		FROM users AS big, users AS small, generate_series(1, 20000) AS n WHERE big.username = 'Big' AND small.username = 'Small';
	INSERT INTO doctors (name, email, phone, specialization, license_number, experience_years, address, consultation_fee, availability, is_verified, created_by)
		SELECT 'Dr. Rao ' || n, 'd@clinic.example', '+91', (ARRAY['Cardiology', 'Pediatrics', 'Dermatology'])[1 + n % 3], 'KMC-' || n, n % 40,
			repeat('MG Road ', 20), n % 900, repeat('Mon-Fri ', 5), true, (SELECT id FROM users WHERE username = 'Small') FROM generate_series(1, 5000) AS n;
	INSERT INTO mappings (patient_id, doctor_id, notes, is_active, assigned_at, ended_at, created_by)
		SELECT p.id, (SELECT min(id) FROM doctors) + (p.id + j * 31) % 5000, repeat('Once a week ', 20), p.deleted_at IS NULL AND p.id % 10 <> 0, p.created_at + j * interval '1 day',
			CASE WHEN p.deleted_at IS NOT NULL OR p.id % 10 = 0 THEN now() END, p.created_by
		FROM patients AS p CROSS JOIN generate_series(0, 2) AS j`)
	// A connection of another test that begins at the moment keeps VACUUM from marking
	// pages as visible to all.
	for clean := false; err == nil && !clean; {
		if _, err = conn.Exec(ctx, "VACUUM (ANALYZE)"); err == nil {
			err = conn.QueryRow(ctx, `SELECT bool_and(relallvisible >= relpages) FROM pg_class
				WHERE oid IN ('patients'::regclass, 'doctors'::regclass, 'mappings'::regclass)`).Scan(&clean)
		}
	}
	return errors.Join(err, conn.Close(ctx))
}

func (g *grown) sql(t *testing.T, text string) {
	t.Helper()
	if _, err := g.conn.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// plan returns how PostgreSQL runs a load.
func (g *grown) plan(t *testing.T, v *model.Viewer, loads ...*query.Load) string {
	t.Helper()
	g.sql(t, "BEGIN")
	defer g.sql(t, "ROLLBACK")
	var plan strings.Builder
	for _, st := range ok(store.Statements(v, loads...))(t) {
		if strings.Contains(st.Text, "set_config") {
			g.sql(t, st.Text)
			continue
		}
		g.sql(t, "PREPARE q AS "+st.Text)
		call := "EXPLAIN (COSTS OFF) EXECUTE q"
		if len(st.Args) > 0 {
			call += "('" + strings.Join(st.Args, "', '") + "')"
		}
		plan.WriteString(strings.Join(g.lines(t, call), "\n"))
		g.sql(t, "DEALLOCATE q")
	}
	return plan.String()
}

func (g *grown) lines(t *testing.T, query string) (lines []string) {
	t.Helper()
	rows, err := g.conn.QueryContext(context.WithoutCancel(t.Context()), query)
	testutil.Must(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		testutil.Must(t, rows.Scan(&line))
		lines = append(lines, line)
	}
	testutil.Must(t, rows.Err())
	return lines
}

// wholeTable finds parts of a plan whose cost grows with a large table: a scan of it
// without an index. A page sorts nothing that an index could sort.
var wholeTable = regexp.MustCompile(`Seq Scan on (patients|mappings|doctors)`)

func TestLists_PagesComeFromAnIndex(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	deleted := func(order model.PatientOrderField) query.Args {
		return argsOf(PatientQuery{Deleted: model.DeletedOnly, OrderBy: order, Page: model.PageArgs{First: new(20)}})
	}
	page := model.PageArgs{First: new(20)}
	for _, c := range []struct {
		what, typ string
		viewer    *storetest.Account
		args      query.Args
		index     string
		sorts     bool // few rows
	}{
		{"all mappings", "Mapping", g.boss, argsOf(MappingQuery{Page: page}), "mappings_all_assigned", false},
		{"all mappings, newest first", "Mapping", g.boss, argsOf(MappingQuery{Page: page, Descending: true}), "mappings_all_assigned", false},
		{"all active mappings", "Mapping", g.boss, argsOf(MappingQuery{Page: page, IsActive: new(true)}), "mappings_all_assigned", false},
		{"the mappings of a large owner", "Mapping", g.big, argsOf(MappingQuery{Page: page, Descending: true}), "mappings_all_assigned", false},
		{"the mappings of a small owner", "Mapping", g.small, argsOf(MappingQuery{Page: page, Descending: true}), "mappings_patient", true},
		{"the deleted patients of an owner", "Patient", g.big, deleted(model.PatientsByCreatedAt), "patients_deleted", false},
		{"these by name", "Patient", g.big, deleted(model.PatientsByName), "patients_deleted", true},
		{"the patients of an owner", "Patient", g.big, argsOf(PatientQuery{Page: page}), "patients_created", false},
		{"these by name", "Patient", g.big, argsOf(PatientQuery{Page: page, OrderBy: model.PatientsByName}), "patients_name", false},
		{"all patients", "Patient", g.boss, argsOf(PatientQuery{Page: page}), "patients_all_created", false},
		{"all patients by name", "Patient", g.boss, argsOf(PatientQuery{Page: page, OrderBy: model.PatientsByName}), "patients_all_name", false},
		{"all doctors", "Doctor", g.big, argsOf(DoctorQuery{Page: page}), "doctors_name", false},
	} {
		load := ok(nodeOf(t, g.Store, c.typ).List(c.viewer.Viewer, c.args))(t)
		plan := g.plan(t, c.viewer.Viewer, load)
		if wholeTable.MatchString(plan) || !strings.Contains(plan, c.index) || !c.sorts && strings.Contains(plan, "Sort") {
			t.Errorf("%s: want %s, sorts %v:\n%s", c.what, c.index, c.sorts, plan)
		}
	}
}

// The rows of joined records keep the order of their list without a sort, because
// PostgreSQL only has nested loops for them.
func TestJoins_KeepTheOrderOfTheirList(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	reorders := regexp.MustCompile(`Sort|Hash|Merge|Memoize|Gather`)
	page, active := model.PageArgs{First: new(20)}, argsOf(MappingQuery{IsActive: new(true), Page: model.PageArgs{First: new(20)}})
	for _, viewer := range []*storetest.Account{g.big, g.boss} {
		for _, order := range []model.PatientOrderField{model.PatientsByCreatedAt, model.PatientsByName} {
			for _, wide := range []bool{false, true} {
				patients := nodeOf(t, g.Store, "Patient")
				if wide {
					ok(patients.Record().Column("Address"))(t)
				}
				patients.Record().One("createdBy")
				mappings := mappingsOf(patients.Record())
				mappings.Record().ID()
				doctor, _ := mappings.Record().One("doctor")
				ok(doctor.Column("Name"))(t)
				root := ok(patients.List(viewer.Viewer, argsOf(PatientQuery{Page: page, OrderBy: order})))(t)
				below := ok(mappings.ListOf(root, active))(t)
				if plan := g.plan(t, viewer.Viewer, root, below); reorders.MatchString(plan) {
					t.Errorf("%s, wide %v:\n%s", order, wide, plan)
				}
			}
		}
		doctors := nodeOf(t, g.Store, "Doctor")
		mappings := mappingsOf(doctors.Record())
		mappings.Record().ID()
		patient, _ := mappings.Record().One("patient")
		ok(patient.Column("Name"))(t)
		for _, root := range []*query.Load{doctors.One(1), ok(doctors.List(viewer.Viewer, argsOf(DoctorQuery{Page: page})))(t)} {
			below := ok(mappings.ListOf(root, active))(t)
			if plan := g.plan(t, viewer.Viewer, root, below); reorders.MatchString(plan) {
				t.Errorf("of a doctor:\n%s", plan)
			}
		}
	}
}

// An order below a record reads the rows of that record, and their nodes by an index. A
// search may begin with the index of texts, if its term is rare.
func TestNestedLists_SearchTheRowsOfTheirRecord(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	page := model.PageArgs{First: new(20)}
	args := func(of query.Args, search bool, orderBy any) query.Args {
		of["orderBy"] = orderBy
		if search {
			of["search"] = new("ana")
		}
		return of
	}
	patientOrder, doctorOrder := &model.PatientOrder{}, &model.DoctorOrder{}
	patientOrder.Field, doctorOrder.Field = model.PatientsByName, model.DoctorsByName
	for _, viewer := range []*storetest.Account{g.big, g.boss} {
		for _, search := range []bool{false, true} {
			doctors := nodeOf(t, g.Store, "Doctor")
			ofDoctor, _ := doctors.Record().List("patients")
			ok(ofDoctor.Entry().Column("Name"))(t)
			root := doctors.One(1)
			below := ok(ofDoctor.ListOf(root, args(pageArgs(page), search, patientOrder)))(t)
			plan := g.plan(t, viewer.Viewer, root, below) + g.plan(t, viewer.Viewer, root, below.Count())
			if wholeTable.MatchString(plan) || !strings.Contains(plan, "mappings_") || !search && !strings.Contains(plan, "mappings_doctor") {
				t.Errorf("of a doctor, search %v:\n%s", search, plan)
			}
			patients := nodeOf(t, g.Store, "Patient")
			ofPatient, _ := patients.Record().List("doctors")
			ok(ofPatient.Entry().Column("Name"))(t)
			root = ok(patients.List(viewer.Viewer, argsOf(PatientQuery{Page: page})))(t)
			below = ok(ofPatient.ListOf(root, args(pageArgs(page), search, doctorOrder)))(t)
			if plan := g.plan(t, viewer.Viewer, root, below); wholeTable.MatchString(plan) || !strings.Contains(plan, "mappings_") {
				t.Errorf("of patients, search %v:\n%s", search, plan)
			}
		}
	}
}

func TestLists_CountsReadIndexesOnly(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	for _, c := range []struct {
		what, typ string
		viewer    *storetest.Account
		args      query.Args
		index     string
	}{
		{"all mappings", "Mapping", g.boss, argsOf(MappingQuery{}), "mappings_"},
		{"all active mappings", "Mapping", g.boss, argsOf(MappingQuery{IsActive: new(true)}), "mappings_"},
		{"all ended mappings", "Mapping", g.boss, argsOf(MappingQuery{IsActive: new(false)}), "mappings_ended"},
		{"the patients of an owner", "Patient", g.big, argsOf(PatientQuery{}), "patients_live"},
		{"all patients", "Patient", g.boss, argsOf(PatientQuery{}), "patients_"},
		{"the deleted patients of an owner", "Patient", g.big, argsOf(PatientQuery{Deleted: model.DeletedOnly}), "patients_deleted"},
	} {
		load := ok(nodeOf(t, g.Store, c.typ).List(c.viewer.Viewer, c.args))(t).Count()
		plan := g.plan(t, c.viewer.Viewer, load)
		if wholeTable.MatchString(plan) || !regexp.MustCompile("Index Only Scan using "+c.index).MatchString(plan) {
			t.Errorf("%s: want %s:\n%s", c.what, c.index, plan)
		}
	}
	plan := g.plan(t, g.big.Viewer, specializations(nodeOf(t, g.Store, "Doctor")))
	if !strings.Contains(plan, "Index Only Scan using doctors_specialization_names") {
		t.Errorf("specializations:\n%s", plan)
	}
}

// A search that keeps only the pages of its matches in memory compares all rows of these
// pages again. It has more memory than other requests.
func TestSearch_ReadsAnIndex(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	c := g.Clinic
	c.Exec("UPDATE patients SET name = 'Zubin Xavier' WHERE id % 1000 = 0")
	c.Exec("VACUUM (ANALYZE) patients")
	term := "zubin"
	load := ok(nodeOf(t, g.Store, "Patient").List(g.boss.Viewer, argsOf(PatientQuery{Search: &term})))(t)
	if first := ok(store.Statements(g.boss.Viewer, load))(t)[0].Text; !strings.Contains(first, "set_config('work_mem', '32MB', true)") {
		t.Errorf("a search begins with %s", first)
	}
	for _, term := range []string{"zu", "q", "zubin"} {
		for _, viewer := range []*storetest.Account{g.boss, g.big} {
			args := argsOf(PatientQuery{Search: &term, Page: model.PageArgs{First: new(20)}})
			load := ok(nodeOf(t, g.Store, "Patient").List(viewer.Viewer, args))(t)
			for _, plan := range []string{g.plan(t, viewer.Viewer, load), g.plan(t, viewer.Viewer, load.Count())} {
				if wholeTable.MatchString(plan) || !strings.Contains(plan, "Bitmap Index Scan on patients_search_fold") {
					t.Errorf("%s:\n%s", term, plan)
				}
			}
		}
	}
}

// The count of an administrator leaves out the mappings of deleted patients.
func TestCountMappings_OfAnAdministratorIsExact(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	for _, active := range []*bool{nil, new(true), new(false)} {
		want := ok(CountMappings(t.Context(), g.Store, g.boss.Viewer, MappingQuery{IsActive: active}))(t)
		load := ok(nodeOf(t, g.Store, "Mapping").List(g.boss.Viewer, argsOf(MappingQuery{IsActive: active})))(t).Count()
		testutil.Must(t, fetch(t.Context(), g.Store, g.boss.Viewer, []*query.Load{load}))
		testutil.Equal(t, "mappings", int(load.Rows.Int64(0, 0)), want)
		load.Rows.Release()
	}
}
