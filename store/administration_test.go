package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/storetest"
)

// accountArgs are the arguments of accounts for a page of 20.
func accountArgs(search *string, filter model.AccountFilter) map[string]any {
	args := pageArgs(model.PageArgs{First: new(20)})
	args["search"], args["filter"] = search, filter
	return args
}

func usernames(p *model.RecordPage) []string {
	names := []string{}
	for _, e := range p.Entries {
		names = append(names, e.Node.(*model.User).Username)
	}
	return names
}

func TestAccounts_SearchAndFilter(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss := c.Admin("Boss")
	c.Owner("asha")
	c.Owner("Łukasz.Żak")
	c.DoctorAccount("Priya")
	c.Exec("UPDATE users SET is_active = FALSE, phone = '+919876543210' WHERE username = 'asha'")
	c.Exec("UPDATE users SET is_confirmed = TRUE WHERE username = 'Priya'")
	for _, tc := range []struct {
		search string
		filter model.AccountFilter
		want   []string
	}{
		{"", model.AccountFilter{}, []string{"asha", "Boss", "Priya", "Łukasz.Żak"}},
		{"lukasz", model.AccountFilter{}, []string{"Łukasz.Żak"}},
		{"ŁUKASZ.ż", model.AccountFilter{}, []string{"Łukasz.Żak"}},
		{"priya@clinic", model.AccountFilter{}, []string{"Priya"}},
		{"98765 43210", model.AccountFilter{}, []string{"asha"}},
		{"sh", model.AccountFilter{}, []string{}},
		{"", model.AccountFilter{Role: new(model.RoleAdmin)}, []string{"Boss"}},
		{"", model.AccountFilter{IsActive: new(false)}, []string{"asha"}},
		{"", model.AccountFilter{IsConfirmed: new(true), IsActive: new(true)}, []string{"Priya"}},
		{"boss", model.AccountFilter{Role: new(model.RoleDoctor)}, []string{}},
	} {
		page := ok(c.Store.Accounts(t.Context(), boss.Viewer, &tc.search, tc.filter, model.PageArgs{}))(t)
		if got := usernames(page); !slices.Equal(got, tc.want) {
			t.Errorf("%q %+v: got %q, want %q", tc.search, tc.filter, got, tc.want)
		}
	}
	_, err := c.Store.UpdateMe(t.Context(), boss.Viewer, []model.Change[model.User]{set("username", func(u *model.User) { u.Username = "Bøss" })})
	testutil.Must(t, err)
	found := ok(c.Store.Accounts(t.Context(), boss.Viewer, new("boss"), model.AccountFilter{}, model.PageArgs{}))(t)
	testutil.Equal(t, "found by the new name", strings.Join(usernames(found), " "), "Bøss")
}

// TestAccounts_ComeFromIndexes, the pages and the matches of a search.
func TestAccounts_ComeFromIndexes(t *testing.T) {
	t.Parallel()
	g := newGrown(t)
	g.Exec(`INSERT INTO users (username, email, phone, role, password_hash)
		SELECT 'n' || md5(n::text), md5(n::text) || '@mail.example', '+9190' || 10000000 + n, 'PATIENT', '!' FROM generate_series(1, 20000) AS n`)
	g.Exec("VACUUM (ANALYZE) users")
	for _, tc := range []struct {
		what  string
		args  map[string]any
		index string
		sorts bool
	}{
		{"all accounts", accountArgs(nil, model.AccountFilter{}), "Index Scan using users_name", false},
		{"all patients", accountArgs(nil, model.AccountFilter{Role: new(model.RolePatient)}), "Index Scan using users_name", false},
		{"a search", accountArgs(new("zubin"), model.AccountFilter{}), "Bitmap Index Scan on users_search", true},
		{"a search for a number", accountArgs(new("9010012345"), model.AccountFilter{IsActive: new(true)}), "Bitmap Index Scan on users_search", true},
	} {
		load := ok(nodeOf(t, g.Store, "User").List(g.boss.Viewer, tc.args))(t)
		plan := g.plan(t, g.boss.Viewer, load)
		if strings.Contains(plan, "Seq Scan on users") || !strings.Contains(plan, tc.index) || !tc.sorts && strings.Contains(plan, "Sort") {
			t.Errorf("%s: want %s:\n%s", tc.what, tc.index, plan)
		}
	}
}

func eventsOf(t *testing.T, c *storetest.Clinic, account int64) []string {
	t.Helper()
	var events []string
	testutil.Must(t, c.DB.NewRaw(`SELECT concat_ws(' ', kind, 'by ' || by_id, client, reason) FROM security_events
		WHERE account_id = ? AND kind NOT IN ('ACCOUNT_CREATED', 'SIGN_IN') ORDER BY id`, account).Scan(t.Context(), &events))
	return events
}

func TestAdministration_ChangesAnAccountAndRecordsIt(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss, asha := c.Admin("Boss"), c.Owner("Asha")
	u := ok(c.Store.DisableAccount(t.Context(), boss.Viewer, asha.UserID, " has left "))(t)
	testutil.Equal(t, "active", u.IsActive, false)
	ok(c.Store.DisableAccount(t.Context(), boss.Viewer, asha.UserID, "again"))(t) // nothing happens
	testutil.Equal(t, "the viewer of the session", ok(c.Store.SessionViewer(t.Context(), asha.SessionID))(t), nil)
	wantCode(t, errOf(c.Store.CreateSession(t.Context(), storetest.Session("s", asha.UserID, "r"), "hash of Asha")), model.CodeNotFound, "email")
	testutil.Equal(t, "active", ok(c.Store.EnableAccount(t.Context(), boss.Viewer, asha.UserID))(t).IsActive, true)
	testutil.Equal(t, "the old session stays ended", ok(c.Store.SessionViewer(t.Context(), asha.SessionID))(t), nil)
	testutil.Equal(t, "role", ok(c.Store.SetRole(t.Context(), boss.Viewer, asha.UserID, model.RoleDoctor))(t).Role, model.RoleDoctor)
	testutil.Equal(t, "confirmed", ok(c.Store.ConfirmAccount(t.Context(), model.Operator(), asha.UserID))(t).IsConfirmed, true)
	by := fmt.Sprintf("by %d", boss.UserID)
	want := []string{"ACCOUNT_DISABLED " + by + " has left", "ACCOUNT_ENABLED " + by, "ROLE_CHANGED " + by, "EMAIL_CONFIRMED"}
	if got := eventsOf(t, c, asha.UserID); !slices.Equal(got, want) {
		t.Errorf("events are %q, want %q", got, want)
	}
}

func TestAdministration_Refuses(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss, deputy, asha := c.Admin("Boss"), c.Admin("Deputy"), c.Owner("Asha")
	priya, _ := c.Doctor("Priya")
	s, ctx := c.Store, t.Context()
	wantCode(t, errOf(s.DisableAccount(ctx, boss.Viewer, asha.UserID, " ")), model.CodeRequired, "reason")
	wantCode(t, errOf(s.DisableAccount(ctx, boss.Viewer, asha.UserID, strings.Repeat("x", model.MaxReason+1))), model.CodeTooLong, "reason")
	wantCode(t, errOf(s.DisableAccount(ctx, boss.Viewer, 999, "gone")), model.CodeNotFound, "id")
	wantCode(t, errOf(s.SetRole(ctx, boss.Viewer, asha.UserID, model.RoleAdmin)), model.CodeInvalid, "role")
	wantCode(t, errOf(s.SetRole(ctx, boss.Viewer, deputy.UserID, model.RolePatient)), model.CodeInvalid, "id")
	wantCode(t, errOf(s.SetRole(ctx, boss.Viewer, priya.UserID, model.RolePatient)), model.CodeInUse, "id")
	wantCode(t, errOf(s.SetRole(ctx, boss.Viewer, boss.UserID, model.RoleDoctor)), model.CodeInvalid, "id")
	wantCode(t, errOf(s.ConfirmAccount(ctx, boss.Viewer, asha.UserID)), model.CodeForbidden, "id")
	wantCode(t, errOf(s.EnableAccount(ctx, asha.Viewer, asha.UserID)), model.CodeForbidden, "id")
	testutil.Equal(t, "an operator gives the role", ok(s.SetRole(ctx, model.Operator(), asha.UserID, model.RoleAdmin))(t).Role, model.RoleAdmin)
}

// TestLastAdministrator_Stays: no one can end them, in any way.
func TestLastAdministrator_Stays(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss, gone := c.Admin("Boss"), c.Admin("Gone")
	ok(c.Store.DisableAccount(t.Context(), model.Operator(), gone.UserID, "left"))(t)
	for what, end := range lastAdministratorEnds(c, boss.UserID) {
		wantCode(t, end(t.Context(), boss.Viewer), model.CodeInUse, "id")
		if v := ok(c.Store.SessionViewer(t.Context(), boss.SessionID))(t); v == nil || v.Role != model.RoleAdmin {
			t.Errorf("%s: the session acts for %v", what, v)
		}
	}
	ok(c.Store.EnableAccount(t.Context(), boss.Viewer, gone.UserID))(t)
	ok(c.Store.DisableAccount(t.Context(), gone.Viewer, boss.UserID, "left"))(t)
}

// lastAdministratorEnds are the ways to end an administrator.
func lastAdministratorEnds(c *storetest.Clinic, id int64) map[string]func(context.Context, *model.Viewer) error {
	return map[string]func(context.Context, *model.Viewer) error{
		"disable": func(ctx context.Context, v *model.Viewer) error {
			return errOf(c.Store.DisableAccount(ctx, v, id, "left"))
		},
		"erase": func(ctx context.Context, _ *model.Viewer) error {
			return c.Store.EraseAccount(ctx, model.Operator(), id)
		},
		"erase me": func(ctx context.Context, v *model.Viewer) error { return c.Store.EraseMe(ctx, v, "hash of Boss") },
		"role": func(ctx context.Context, _ *model.Viewer) error {
			return errOf(c.Store.SetRole(ctx, model.Operator(), id, model.RolePatient))
		},
	}
}

// TestRaces_LastAdministrator: eight simultaneous calls to disable two administrators
// leave one.
func TestRaces_LastAdministrator(t *testing.T) {
	t.Parallel()
	for range 5 {
		c := concurrentClinic(t)
		both := []*storetest.Account{c.Admin("Boss"), c.Admin("Deputy")}
		errs := concurrently(rivals, func(i int) error {
			return errOf(c.Store.DisableAccount(t.Context(), both[(i+1)%2].Viewer, both[i%2].UserID, "left"))
		})
		for _, err := range errs {
			if code := model.CodeOf(err); err != nil && code != model.CodeInUse {
				t.Errorf("got %v", err)
			}
		}
		left := ok(c.DB.NewSelect().Table("users").Where("role = 'ADMIN' AND is_active").Count(t.Context()))(t)
		testutil.Equal(t, "administrators", int(left), 1)
	}
}

// TestLastAdministrator_WaitsForAnotherChange: while another transaction is about to disable
// the other administrator, no one knows who is the last.
func TestLastAdministrator_WaitsForAnotherChange(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss, deputy := c.Admin("Boss"), c.Admin("Deputy")
	tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
	ok(tx.ExecContext(t.Context(), "UPDATE users SET is_active = FALSE WHERE id = ?", deputy.UserID))(t)
	done := make(chan error, 1)
	go func() { done <- errOf(c.Store.DisableAccount(t.Context(), deputy.Viewer, boss.UserID, "left")) }()
	eventually(t, "it waits or ends", func() bool {
		return len(done) > 0 ||
			ok(c.DB.NewSelect().Table("pg_stat_activity").Where("wait_event_type = 'Lock' AND datname = current_database()").Exists(t.Context()))(t)
	})
	testutil.Must(t, tx.Commit())
	wantCode(t, <-done, model.CodeInUse, "id")
}

// TestAdministration_LocksAccountsInTheirOrder: an account that is about to change counts as
// an administrator for one transaction and not for another. Both lock it in the same order
// with the others.
func TestAdministration_LocksAccountsInTheirOrder(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(c *storetest.Clinic, id int64) error{
		"enable": func(c *storetest.Clinic, id int64) error {
			return errOf(c.Store.EnableAccount(t.Context(), model.Operator(), id))
		},
		"erase": func(c *storetest.Clinic, id int64) error {
			return c.Store.EraseAccount(t.Context(), model.Operator(), id)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t)
			gone, boss := c.Admin("Gone"), c.Admin("Boss")
			c.Exec("UPDATE users SET is_active = FALSE WHERE id = ?", gone.UserID)
			tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
			ok(tx.ExecContext(t.Context(), "SELECT FROM users WHERE id = ? FOR UPDATE", gone.UserID))(t)
			done := make(chan error, 1)
			go func() { done <- change(c, gone.UserID) }()
			eventually(t, "it waits", func() bool {
				return ok(c.DB.NewSelect().Table("pg_stat_activity").Where("wait_event_type = 'Lock' AND datname = current_database()").Exists(t.Context()))(t)
			})
			if _, err := tx.ExecContext(t.Context(), "SELECT FROM users WHERE id = ? FOR UPDATE NOWAIT", boss.UserID); err != nil {
				t.Errorf("it has locked the other one: %v", err)
			}
			testutil.Must(t, tx.Rollback())
			testutil.Must(t, <-done)
		})
	}
}

// TestAccounts_AreRecordedByBothEngines, and are not read if they cannot be recorded.
func TestAccounts_AreRecordedByBothEngines(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss := c.Admin("Boss")
	load := func() error {
		list := ok(nodeOf(t, c.Store, "User").List(boss.Viewer, accountArgs(new("secret term"), model.AccountFilter{})))(t)
		err := fetch(t.Context(), c.Store, boss.Viewer, []*query.Load{list, list.Count()})
		if err != nil && list.Rows != nil {
			t.Error("there are rows in spite of the error")
		}
		return err
	}
	page := func() error {
		return errOf(c.Store.Accounts(t.Context(), boss.Viewer, new("secret term"), model.AccountFilter{}, model.PageArgs{}))
	}
	testutil.Must(t, load())
	testutil.Must(t, page())
	by := fmt.Sprintf("ACCOUNTS_LISTED by %d", boss.UserID)
	if got := eventsOf(t, c, boss.UserID); !slices.Equal(got, []string{by, by}) {
		t.Errorf("events are %q", got)
	}
	c.Exec("ALTER TABLE security_events ADD CHECK (kind <> 'ACCOUNTS_LISTED') NOT VALID")
	for what, read := range map[string]func() error{"Fetch": load, "Page": page} {
		if read() == nil {
			t.Errorf("%s answers what it could not record", what)
		}
	}
	testutil.Must(t, errOf(c.Store.Accounts(t.Context(), model.Operator(), nil, model.AccountFilter{}, model.PageArgs{})))
}
