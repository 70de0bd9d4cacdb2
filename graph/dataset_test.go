package graph_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// dataset is a server with records of every kind and accounts with every relation to
// them. It is always the same, except for tokens and two birthdays.
type dataset struct {
	*graphtest.Server

	now time.Time
	// viewers have accounts, and outsiders have none.
	viewers, outsiders []viewer
	// size is the number of records of each kind, with deleted ones. Their ids count from
	// 1.
	size map[string]int
	// cursors has the cursors of each list and order: "patients" and "patients NAME DESC",
	// and those of lists below a record by listOf.
	cursors map[string][]string
}

// viewer is a client of the dataset.
type viewer struct {
	name   string
	client *graphtest.Client
	// sees has the ids of the records that exist for the viewer, by kind.
	sees map[string][]string
}

func (w *dataset) viewer(name string) viewer {
	return w.viewers[slices.IndexFunc(w.viewers, func(v viewer) bool { return v.name == name })]
}

// newDataset fills a new server without rules. Its clock stands still, so that ages do
// not change, at a time when it is already tomorrow in India.
func newDataset(tb testing.TB) *dataset {
	tb.Helper()
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(20 * time.Hour)
	s := graphtest.New(tb, graphtest.Options{Now: func() time.Time { return now }})
	w := &dataset{Server: s, now: now, size: map[string]int{}, cursors: map[string][]string{}}
	w.accounts()
	w.doctors()
	w.patients()
	w.mappings()
	w.events()
	w.transfers()
	w.grants()
	w.sessions()
	w.checkFixtures(tb)
	w.collectIDs()
	w.collectCursors(tb)
	return w
}

// The accounts by their numbers.
const (
	owner = iota + 1
	secondOwner
	assignedDoctor
	formerDoctor
	unverifiedDoctor
	deletedDoctor
	linkedDoctor
	stranger
	deactivated
	administrator
	clinicalMember
	deskMember
	claimant
)

func (w *dataset) accounts() {
	for _, account := range []struct {
		number int
		name   string
		role   model.Role
	}{
		{owner, "Rahul", model.RolePatient},
		{secondOwner, "sita.o'brien", model.RolePatient},
		{assignedDoctor, "Priya", model.RoleDoctor},
		{formerDoctor, "Dev", model.RoleDoctor},
		{unverifiedDoctor, "Neha", model.RoleDoctor},
		{deletedDoctor, "Omar", model.RoleDoctor},
		{linkedDoctor, "Lara", model.RoleDoctor},
		{stranger, "Asha", model.RolePatient},
		{deactivated, "Gita", model.RolePatient},
		{administrator, "Admin", model.RoleAdmin},
		{clinicalMember, "Nila", model.RoleDoctor},
		{deskMember, "Dina", model.RolePatient},
		{claimant, "Arjun", model.RolePatient},
	} {
		client := w.account(account.number, account.name, account.role)
		if account.number != deactivated {
			w.viewers = append(w.viewers, viewer{name: account.name, client: client})
		}
	}
	w.Exec("UPDATE users SET phone = '+4420712345' || id WHERE id % 2 = 0")
	w.Exec("UPDATE users SET is_active = false WHERE id = $1", deactivated)
	w.outsiders = []viewer{
		{name: "nobody", client: w.Nobody()},
		{name: "a false token", client: &graphtest.Client{Server: w.Server, Token: "false"}},
	}
}

// account inserts an account with a session and without a password, whose hash would take
// longer than everything else.
func (w *dataset) account(number int, name string, role model.Role) *graphtest.Client {
	w.Exec(`INSERT INTO users (id, username, email, role, password_hash, created_at) VALUES ($1, $2, $3, $4, 'none', $5)`,
		number, name, fmt.Sprintf("account%d@clinic.example", number), role, timeOf(number))
	w.size["usr"]++
	session := fmt.Sprintf("session of %d", number)
	client := (&graphtest.Client{Server: w.Server, UserID: int64(number)}).Session(session)
	w.Exec("UPDATE sessions SET created_at = $1 WHERE id = $2", w.now.Add(-time.Duration(number)*time.Minute), session)
	return client
}

// timeOf returns the time of a record. Three neighbors have the same time, so that only
// their ids order them. Some fractions of a second end in zeros. Some times are before
// 2000, the epoch of PostgreSQL.
func timeOf(n int) time.Time {
	if n%30 == 29 {
		return time.Date(1999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	}
	fractions := []time.Duration{0, 123456, 100000, 7}
	return time.Date(2026, 1, 1+n/12, n%12/3, 30, 0, 0, time.UTC).Add(fractions[n/3%4] * time.Microsecond)
}

// after returns a time some days after the creation of a record, or nil.
func after(createdAt time.Time, holds bool, days int) *time.Time {
	if !holds {
		return nil
	}
	at := createdAt.AddDate(0, 0, days)
	return &at
}

// entry is a row of doctors.
type entry struct {
	name, specialization, fee string
	account, owner            int
	verified, deleted         bool
}

func entries() []entry {
	return []entry{
		{"Dr. Priya Patel", "Cardiology", "1500.50", assignedDoctor, assignedDoctor, true, false},
		{"Dr. Dev Rao", "Ear, Nose & Throat", "0.00", formerDoctor, formerDoctor, true, false},
		{"Dr. Neha Iyer", "cardiology", "100000.00", unverifiedDoctor, unverifiedDoctor, false, false},
		{"Dr. Omar \"Oz\" Khan", "Neurology", "1500.50", deletedDoctor, deletedDoctor, true, true},
		{"Dr. Lara Löwe", "Néurology", "0.01", linkedDoctor, owner, true, false},
		{"émile Zola", "Dermatology <skin>", "999.99", 0, owner, false, false},
		{"डॉ. मीरा जोशी", "बाल रोग", "500.00", 0, secondOwner, true, false},
		{"Dr. Gone Long", "Cardiology", "750.00", 0, secondOwner, true, true},
		{"Dr. Anna 😷 Ames", "Dermatology <skin>", "750.00", 0, administrator, false, false},
		{"dr. anna ames", "Cardiology", "750.00", 0, owner, true, false},
		{"Dr. Dev Rao", "Radiology", "1500.50", formerDoctor, formerDoctor, true, true},
		{"Dr. Ångström", "CARDIOLOGY", "1500.50", 0, deactivated, true, false},
		{"Dr. Of Nobody's Patients", "Rare\\Field", "2000.00", 0, stranger, false, false},
		{"Dr. Gita's \\ Gone", "Neurology", "1.10", 0, owner, false, true},
	}
}

func (w *dataset) doctors() {
	for i, d := range entries() {
		n, createdAt := i+1, timeOf(i)
		var account *int
		if d.account > 0 {
			account = &d.account
		}
		w.Exec(`INSERT INTO doctors (id, name, email, phone, specialization, license_number, experience_years, address,
			consultation_fee, availability, is_verified, account_id, created_by, created_at, updated_at, version, deleted_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::numeric, $10, $11, $12, $13, $14, $15, $16, $17)`,
			n, d.name, fmt.Sprintf("dr%d@hospital.example", n), phone(n), d.specialization, fmt.Sprintf("LIC-%03d", n),
			i%5*7, text(i), d.fee, "Mon–Fri 9AM-5PM, floor "+strconv.Itoa(i), d.verified, account, d.owner,
			createdAt, createdAt.AddDate(0, 0, i%3), 1+i%3, after(createdAt, d.deleted, 3))
		w.size["doc"]++
	}
}

// collectIDs collects the ids that each viewer sees.
func (w *dataset) collectIDs() {
	for i := range w.viewers {
		seen := w.viewers[i].client.Must(`{ usr: me { id } pat: patients(first: 100) { nodes { id } } doc: doctors(first: 100) { nodes { id } }
			map: mappings(first: 100, filter: {isActive: null}) { nodes { id } } ses: me { sessions(first: 100) { nodes { id } } } }`, nil)
		w.viewers[i].sees = map[string][]string{}
		for kind := range seen.Value.(map[string]any) {
			w.viewers[i].sees[kind] = everything("id", seen.At(kind).Value)
		}
	}
}

// checkFixtures fails if the dataset lacks a type of record: the differential test
// would compare answers about nothing.
func (w *dataset) checkFixtures(tb testing.TB) {
	tb.Helper()
	for _, t := range w.Store.Records().Types() {
		if w.size[string(t.Kind)] == 0 {
			tb.Fatalf("%s has no fixture in newDataset: add some rows, and count them in size[%q]", t.Name, t.Kind)
		}
	}
}

// isOwnList reports whether a query was left to the reference engine because of a
// list with a source of its own, for which there are no plans.
func (w *dataset) isOwnList(how string) bool {
	typ, field, _ := strings.Cut(how, ".")
	t := w.Store.Records().Type(typ)
	return t != nil && t.OwnList(field) != nil
}

// kinds returns the prefixes of all ids.
func (w *dataset) kinds() []string { return slices.Sorted(maps.Keys(w.size)) }

// listOf returns the name of the cursors of a list below a record. Lists of the same rows by
// the same key accept the cursors of each other.
func (w *dataset) listOf(typ, field string) string {
	if list := w.Store.Records().Type(typ).List(field); list != nil {
		return list.Rows().Name + " by " + list.Key
	}
	return typ + "." + field
}

// collectCursorsBelow collects the cursors of the lists below the records of each list of
// Query.
func (w *dataset) collectCursorsBelow(tb testing.TB) {
	tb.Helper()
	for _, t := range w.Store.Records().Types() {
		if t.Root == nil {
			continue
		}
		for _, field := range graph.Schema().Types[t.Name].Fields {
			if field.Arguments.ForName("first") == nil {
				continue
			}
			for order, orderBy := range ordersOf(field) {
				args := "first: 30"
				for _, arg := range field.Arguments {
					if value := map[bool]string{false: "null", true: orderBy}[arg.Name == "orderBy"]; !paging(arg.Name) {
						args += ", " + arg.Name + ": " + value
					}
				}
				query := fmt.Sprintf("{ it: %s(first: 100) { nodes { %s(%s) { edges { cursor } } } } }", t.Root.Field, field.Name, args)
				name := strings.TrimSpace(w.listOf(t.Name, field.Name) + " " + order)
				w.cursors[name] = append(w.cursors[name], w.cursorsBelow(tb, query)...)
			}
		}
	}
}

// ordersOf returns all values of a list's argument orderBy by their names in
// dataset.cursors, and null.
func ordersOf(list *ast.FieldDefinition) map[string]string {
	orders, schema := map[string]string{"": "null"}, graph.Schema()
	argument := list.Arguments.ForName("orderBy")
	if argument == nil {
		return orders
	}
	by := schema.Types[argument.Type.Name()].Fields.ForName("field").Type.Name()
	for _, field := range schema.Types[by].EnumValues {
		for _, direction := range schema.Types["OrderDirection"].EnumValues {
			orders[field.Name+" "+direction.Name] = fmt.Sprintf("{field: %s, direction: %s}", field.Name, direction.Name)
		}
	}
	return orders
}

// cursorsBelow returns the cursors of the viewer who sees most of those that may
// read the list: the administrator, or else the first one.
func (w *dataset) cursorsBelow(tb testing.TB, query string) []string {
	tb.Helper()
	for _, who := range append([]viewer{w.viewer("Admin")}, w.viewers...) {
		if cursors := everything("cursor", who.client.Do(query, nil).Data["it"]); len(cursors) > 0 {
			return cursors
		}
	}
	tb.Fatalf("no viewer sees an entry: add rows to newDataset, so that the differential test reads them: %s", query)
	return nil
}

// collectCursors collects the cursors of each list in each order, as the administrator,
// who sees most.
func (w *dataset) collectCursors(tb testing.TB) {
	tb.Helper()
	admin := w.viewer("Admin").client
	w.collectCursorsBelow(tb)
	for _, list := range graph.Schema().Query.Fields {
		if list.Arguments.ForName("first") == nil {
			continue
		}
		for order, orderBy := range ordersOf(list) {
			args := "first: 100"
			if order != "" {
				args += ", orderBy: " + orderBy
			}
			entries := "edges { cursor }"
			if list.Name == "changes" {
				entries = "cursor" // of the step
			}
			query := fmt.Sprintf("{ %s(%s) { %s } }", list.Name, args, entries)
			w.cursors[strings.TrimSpace(list.Name+" "+order)] = everything("cursor", admin.Must(query, nil).Value)
		}
	}
}

// everything returns the values of all fields with the name in a fixed order.
func everything(name string, in any) []string {
	found := []string{}
	switch in := in.(type) {
	case map[string]any:
		if text, ok := in[name].(string); ok {
			found = append(found, text)
		}
		for _, member := range slices.Sorted(maps.Keys(in)) {
			found = append(found, everything(name, in[member])...)
		}
	case []any:
		for _, item := range in {
			found = append(found, everything(name, item)...)
		}
	}
	return found
}
