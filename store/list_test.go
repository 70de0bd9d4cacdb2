package store_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// clinicWithTies returns a clinic with every sort key several times.
func clinicWithTies(t *testing.T) (*storetest.Clinic, *storetest.Account) {
	t.Helper()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	names := []string{"arjun", "Arjun", "Ärjun", "Zoya", "अर्जुन", "zoya", "Banu"}
	for i := range 21 {
		p := asha.Patient(names[i%7], func(p *model.Patient) { p.DateOfBirth = model.ParseDate(fmt.Sprintf("1990-05-%02d", 1+i%4)) })
		d := asha.Entry(names[i%7], func(d *model.Doctor) {
			d.ExperienceYears, d.ConsultationFee = i%5, model.ParseDecimal(fmt.Sprintf("%d.50", 900+i%3*100))
		})
		asha.Assign(p, d)
	}
	for _, table := range []string{"patients", "doctors", "mappings"} {
		c.Exec("UPDATE " + table + " SET created_at = timestamptz '2026-01-01' + id % 4 * interval '1 second', updated_at = timestamptz '2026-01-01 00:00:00.5' + id % 3 * interval '1 microsecond'")
	}
	c.Exec("UPDATE mappings SET assigned_at = created_at")
	return c, asha
}

// sorted is one list in one order: the function that reads a page, and the sort key in
// the database.
type sorted struct {
	table, key string
	read       func(descending bool) page[model.Listed]
}

func everyOrder(s *store.Store, v *model.Viewer) []sorted {
	patients := func(key string, by model.PatientOrderField) sorted {
		return sorted{"patients", key, func(descending bool) page[model.Listed] {
			return func(ctx context.Context, args model.PageArgs) (*list[model.Listed], error) {
				return asListed(Patients(ctx, s, v, PatientQuery{Page: args, OrderBy: by, Descending: descending}))
			}
		}}
	}
	doctors := func(key string, by model.DoctorOrderField) sorted {
		return sorted{"doctors", key, func(descending bool) page[model.Listed] {
			return func(ctx context.Context, args model.PageArgs) (*list[model.Listed], error) {
				return asListed(Doctors(ctx, s, v, DoctorQuery{Page: args, OrderBy: by, Descending: descending}))
			}
		}}
	}
	mappings := func(key string, by model.MappingOrderField) sorted {
		return sorted{"mappings", key, func(descending bool) page[model.Listed] {
			return func(ctx context.Context, args model.PageArgs) (*list[model.Listed], error) {
				return asListed(Mappings(ctx, s, v, MappingQuery{Page: args, OrderBy: by, Descending: descending}))
			}
		}}
	}
	return []sorted{
		patients("created_at", model.PatientsByCreatedAt), patients("updated_at", model.PatientsByUpdatedAt),
		patients("name_key", model.PatientsByName), patients("date_of_birth", model.PatientsByDateOfBirth),
		doctors("name_key", model.DoctorsByName), doctors("experience_years", model.DoctorsByExperienceYears),
		doctors("consultation_fee", model.DoctorsByConsultationFee), doctors("created_at", model.DoctorsByCreatedAt),
		mappings("assigned_at", model.MappingsByAssignedAt), mappings("updated_at", model.MappingsByUpdatedAt),
	}
}

// asListed returns a list of any record type.
func asListed[T model.Listed](l *list[T], err error) (*list[model.Listed], error) {
	if err != nil {
		return nil, err
	}
	rows := make([]model.Listed, len(l.Rows))
	for i, row := range l.Rows {
		rows[i] = row
	}
	return &list[model.Listed]{Rows: rows, HasNext: l.HasNext, HasPrevious: l.HasPrevious, cursors: l.cursors}, nil
}

func TestLists_AllPagesTogetherAreTheWholeListOnce(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	sizes := []int{1, 4, 20, 21, 100}
	if testing.Short() {
		sizes = []int{4, 21}
	}
	for _, list := range everyOrder(c.Store, asha.Viewer) {
		for _, direction := range []string{"ASC", "DESC"} {
			var want []int64
			statement := fmt.Sprintf("SELECT id FROM %s ORDER BY %s %s, id %s", list.table, list.key, direction, direction)
			if err := c.DB.NewRaw(statement).Scan(t.Context(), &want); err != nil {
				t.Fatal(err)
			}
			read := list.read(direction == "DESC")
			for _, size := range sizes {
				for _, backwards := range []bool{false, true} {
					got := places(everyPage(t, read, size, backwards))
					wantIDs(t, fmt.Sprintf("%s by %s %s in pages of %d, backwards %v", list.table, list.key, direction, size, backwards), got, want...)
				}
			}
		}
	}
}

func TestLists_CursorBelongsToItsListAndOrder(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	type made struct{ of, cursor string }
	var cursors []made
	lists := map[string]page[model.Listed]{}
	for _, list := range everyOrder(c.Store, asha.Viewer) {
		for _, descending := range []bool{false, true} {
			name, read := fmt.Sprintf("%s by %s, descending %v", list.table, list.key, descending), list.read(descending)
			l := ok(read(t.Context(), model.PageArgs{First: new(3)}))(t)
			cursors, lists[name] = append(cursors, made{name, l.Cursor(l.Rows[1])}), read
		}
	}
	for name, read := range lists {
		for _, cursor := range cursors {
			_, after := read(t.Context(), model.PageArgs{After: &cursor.cursor})
			_, before := read(t.Context(), model.PageArgs{Before: &cursor.cursor})
			if cursor.of == name {
				testutil.Equal(t, "own cursor", fmt.Sprint(after, before), "<nil> <nil>")
				continue
			}
			wantCode(t, after, model.CodeInvalidCursor, "after")
			wantCode(t, before, model.CodeInvalidCursor, "before")
		}
	}
}

// A client can change a cursor, but no change makes PostgreSQL fail.
func TestLists_ForgedCursorIsRefused(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	forged := []any{
		"", "x", "1.5", "1e3", "99999999999", "-", "0000-01-01", "9999-99-99", "infinity", "now", "NaN",
		"2026-01-01 00:00:00+20", "0000-01-01 00:00:00+00", "2026-01-01 00:00:00,5+00", "2026-01-01 00:00:00", "2026-01-01 25:00:00+00",
		"300000-01-01", "1e99", "0x10", "1_0", " 7 ", "'; DROP TABLE patients; --", `\`, "\x00", "\xff", "☃", nil, 7, "\u00a05", "5\u2003",
		[]string{},
		true,
	}
	for _, list := range everyOrder(c.Store, asha.Viewer) {
		read := list.read(false)
		tag := tagOf(t, ok(read(t.Context(), model.PageArgs{}))(t))
		for _, key := range forged {
			for _, id := range []any{1, 0, -1, 1.5, "1", nil, json.Number("9223372036854775808")} {
				text, _ := json.Marshal([]any{tag, key, id})
				cursor := base64.RawURLEncoding.EncodeToString(text)
				_, err := read(t.Context(), model.PageArgs{After: &cursor})
				if code := model.CodeOf(err); err != nil && code != model.CodeInvalidCursor {
					t.Errorf("%s by %s: cursor %s: %v", list.table, list.key, text, err)
				}
			}
		}
	}
}

func tagOf(t *testing.T, l *list[model.Listed]) any {
	t.Helper()
	var parts []any
	text := ok(base64.RawURLEncoding.DecodeString(l.Cursor(l.Rows[0])))(t)
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	return parts[0]
}

func TestLists_PageSizes(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	for _, list := range everyOrder(c.Store, asha.Viewer) {
		read := list.read(false)
		for _, args := range []struct {
			page        model.PageArgs
			rows        int
			next, prior bool
		}{
			{model.PageArgs{}, 20, true, false},
			{model.PageArgs{First: new(0)}, 0, true, false},
			{model.PageArgs{Last: new(0)}, 0, false, true},
			{model.PageArgs{First: new(21)}, 21, false, false},
			{model.PageArgs{First: new(100)}, 21, false, false},
			{model.PageArgs{Last: new(20)}, 20, false, true},
		} {
			l := ok(read(t.Context(), args.page))(t)
			if len(l.Rows) != args.rows || l.HasNext != args.next || l.HasPrevious != args.prior {
				t.Errorf("%s: %d rows, next %v, previous %v, want %+v", list.table, len(l.Rows), l.HasNext, l.HasPrevious, args)
			}
		}
		for field, args := range map[string][]model.PageArgs{
			"first": {{First: new(101)}, {First: new(-1)}},
			"last":  {{Last: new(101)}, {Last: new(-1)}, {First: new(1), Last: new(1)}},
		} {
			for _, bad := range args {
				_, err := read(t.Context(), bad)
				wantCode(t, err, model.CodeBadUserInput, field)
			}
		}
	}
}

func TestLists_BothBoundsHold(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	read := everyOrder(c.Store, asha.Viewer)[2].read(true)
	all := everyPage(t, read, 100, false)
	whole := ok(read(t.Context(), model.PageArgs{First: new(100)}))(t)
	args := model.PageArgs{After: new(whole.Cursor(all[4])), Before: new(whole.Cursor(all[12]))}

	l := ok(read(t.Context(), args))(t)
	testutil.Equal(t, "what lies between", fmt.Sprint(places(l.Rows)), fmt.Sprint(places(all[5:12])))
	args.First = new(3)
	l = ok(read(t.Context(), args))(t)
	testutil.Equal(t, "the first three", fmt.Sprint(places(l.Rows)), fmt.Sprint(places(all[5:8])))
	args.First, args.Last = nil, new(3)
	l = ok(read(t.Context(), args))(t)
	testutil.Equal(t, "the last three", fmt.Sprint(places(l.Rows)), fmt.Sprint(places(all[9:12])))
	testutil.Equal(t, "whether there is more on both sides", l.HasNext && l.HasPrevious, true)
}

func places(rows []model.Listed) []int64 {
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.NodeID().Num
	}
	return ids
}

// A record that is deleted between two pages does not hide another one.
func TestLists_PageAfterTheRowOfTheCursorIsGone(t *testing.T) {
	t.Parallel()
	c, asha := clinicWithTies(t)
	read := everyOrder(c.Store, asha.Viewer)[0].read(false)
	all := places(everyPage(t, read, 100, false))
	first := ok(read(t.Context(), model.PageArgs{First: new(5)}))(t)
	cursor := first.Cursor(first.Rows[4])
	ok(c.Store.DeletePatient(t.Context(), asha.Viewer, all[4], nil))(t)

	next := ok(read(t.Context(), model.PageArgs{First: new(5), After: &cursor}))(t)
	wantIDs(t, "the next page", places(next.Rows), all[5:10]...)
}
