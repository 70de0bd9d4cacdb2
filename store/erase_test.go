package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// holding returns the tables with a row that contains the text, in any column.
func holding(t *testing.T, c *storetest.Clinic, text string) (tables []string) {
	t.Helper()
	var all []string
	testutil.Must(t, c.DB.NewRaw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").Scan(t.Context(), &all))
	for _, table := range all {
		var n int
		testutil.Must(t, c.DB.NewRaw("SELECT count(*) FROM "+table+" AS t WHERE strpos(lower(t::text), lower(?)) > 0", text).Scan(t.Context(), &n))
		if n > 0 {
			tables = append(tables, table)
		}
	}
	return tables
}

// TestErase_LeavesNothingOfThePerson: no e-mail address, phone number or name in any table.
func TestErase_LeavesNothingOfThePerson(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	owner := c.Owner("Owner")
	zubin := c.DoctorAccount("zubin.mistry")
	email, phone := zubin.User.Email, *zubin.User.Phone
	entry := zubin.Entry("Dr. Z. M.", func(d *model.Doctor) { d.Email, d.Phone = email, phone })
	c.Link(entry, zubin)
	mapping := owner.Assign(owner.Patient("Arjun"), entry)
	testutil.Must(t, c.Store.RememberDevice(t.Context(), zubin.UserID, []byte("device")))
	c.Exec("INSERT INTO notices (kind, account_id) VALUES ('NEW_DEVICE', ?)", zubin.UserID)
	c.Exec("INSERT INTO mail (kind, account_id, data) VALUES ('NEW_DEVICE', ?, ?)", zubin.UserID, []byte(email))
	personal := []string{"zubin", string(email), string(phone), strings.TrimPrefix(string(phone), "+91")}
	for _, text := range personal {
		if len(holding(t, c, text)) == 0 {
			t.Fatalf("no table has %s before", text)
		}
	}

	testutil.Must(t, c.Store.EraseMe(t.Context(), zubin.Viewer, "hash of zubin.mistry"))
	for _, text := range personal {
		if tables := holding(t, c, text); len(tables) > 0 {
			t.Errorf("%s is left in %q", text, tables)
		}
	}
	for _, table := range []string{"sessions", "devices", "notices", "mail"} {
		column := map[bool]string{true: "user_id", false: "account_id"}[table == "sessions"]
		n := ok(c.DB.NewSelect().Table(table).Where("? = ?", bun.Ident(column), zubin.UserID).Count(t.Context()))(t)
		testutil.Equal(t, "rows of "+table, int(n), 0)
	}
	u := ok(c.Store.User(t.Context(), model.Operator(), zubin.UserID))(t)
	name := fmt.Sprintf("erased-%d", zubin.UserID)
	testutil.Equal(t, "the account", fmt.Sprintln(u.Username, u.Email, u.Phone, u.IsActive), fmt.Sprintln(name, name+"@invalid", nil, false))
	hash := scalar[string](t, c.DB.DB, fmt.Sprintf("SELECT password_hash FROM users WHERE id = %d", zubin.UserID))
	testutil.Equal(t, "the hash", hash, "!")
	testutil.Equal(t, "the mapping of the entry", ok(Mapping(t.Context(), c.Store, owner.Viewer, mapping.ID))(t).IsActive, true)
	wantCode(t, errOf(Doctor(t.Context(), c.Store, owner.Viewer, entry.ID)), model.CodeNotFound, "id")
	if got := eventsOf(t, c, zubin.UserID); got[len(got)-1] != fmt.Sprintf("ACCOUNT_ERASED by %d", zubin.UserID) {
		t.Errorf("events are %q", got)
	}
	again := c.DoctorAccount("zubin.mistry") // with the same address
	testutil.Equal(t, "the license", errOf(c.Store.CreateDoctor(t.Context(), again.Viewer, withLicense(c.NewDoctor("Dr. Z. M."), entry), true)), nil)
}

func withLicense(d, of *model.Doctor) *model.Doctor {
	d.LicenseNumber = of.LicenseNumber
	return d
}

func TestErase_Refuses(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, rahul := c.Owner("Asha"), c.Owner("Rahul")
	asha.DeletedPatient("Arjun")
	ctx, s := t.Context(), c.Store
	wantCode(t, s.EraseMe(ctx, rahul.Viewer, "hash of Asha"), model.CodeNotFound, "password")
	wantCode(t, s.EraseMe(ctx, asha.Viewer, "hash of Asha"), model.CodeInUse, "id")
	wantCode(t, s.EraseAccount(ctx, model.Operator(), asha.UserID), model.CodeInUse, "id")
	wantCode(t, s.EraseAccount(ctx, rahul.Viewer, rahul.UserID), model.CodeForbidden, "id")
	wantCode(t, s.EraseAccount(ctx, model.Operator(), 999), model.CodeNotFound, "id")
	testutil.Must(t, s.EraseAccount(ctx, model.Operator(), rahul.UserID))
	for what, err := range map[string]error{
		"erase":   s.EraseAccount(ctx, model.Operator(), rahul.UserID),
		"enable":  errOf(s.EnableAccount(ctx, model.Operator(), rahul.UserID)),
		"confirm": errOf(s.ConfirmAccount(ctx, model.Operator(), rahul.UserID)),
		"role":    errOf(s.SetRole(ctx, model.Operator(), rahul.UserID, model.RoleAdmin)),
	} {
		if model.CodeOf(err) != model.CodeNotFound {
			t.Errorf("%s of an erased account: %v", what, err)
		}
	}
	u := &model.User{Username: "Erased-7", Email: "new@clinic.example", Role: model.RolePatient}
	wantCode(t, u.Validate(s.Constraints("User")), model.CodeInvalid, "username")
}

// TestErase_WaitsForAPatientThatIsBeingCreated.
func TestErase_WaitsForAPatientThatIsBeingCreated(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	tx := ok(c.DB.BeginTx(t.Context(), nil))(t)
	_, err := tx.ExecContext(t.Context(), `INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by)
		VALUES ('Arjun', '1990-01-01', 'MALE', '+91', '', '+91', ?)`, asha.UserID)
	testutil.Must(t, err)
	done := make(chan error, 1)
	go func() { done <- c.Store.EraseMe(t.Context(), asha.Viewer, "hash of Asha") }()
	eventually(t, "it waits", func() bool {
		return ok(c.DB.NewSelect().Table("pg_stat_activity").Where("wait_event_type = 'Lock' AND datname = current_database()").Exists(t.Context()))(t)
	})
	testutil.Must(t, tx.Commit())
	wantCode(t, <-done, model.CodeInUse, "id")
}

// TestErase_WaitsForWhatNamesTheAccount: another change that holds a row that names the
// account, and then stores another one that names it, goes first. Otherwise the two would
// wait for each other.
func TestErase_WaitsForWhatNamesTheAccount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		held string
		act  func(c *storetest.Clinic, zubin, owner *storetest.Account, entry *model.Doctor) error
	}{
		"verifyDoctor takes the entry away": {"SELECT FROM mappings FOR UPDATE", func(c *storetest.Clinic, _, _ *storetest.Account, entry *model.Doctor) error {
			return errOf(c.VerifyAs(model.Operator(), entry.ID, store.Verification{Account: new((*int64)(nil))}))
		}},
		"the owner ends the grant": {"SELECT FROM grants FOR UPDATE", func(c *storetest.Clinic, _, owner *storetest.Account, _ *model.Doctor) error {
			return errOf(c.Store.EndGrant(t.Context(), owner.Viewer, 1, nil))
		}},
		"a session ends": {"SELECT FROM sessions FOR UPDATE", func(c *storetest.Clinic, zubin, _ *storetest.Account, _ *model.Doctor) error {
			return c.Store.EndSession(t.Context(), zubin.Viewer, zubin.SessionID)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := care{Clinic: concurrentClinic(t)}
			owner, zubin := c.Owner("Owner"), c.DoctorAccount("Zubin")
			entry := c.Verify(zubin.OwnEntry("Dr. Zubin"))
			owner.Assign(owner.Patient("Arjun"), entry)
			join(t, c.Clinic, owner, zubin, model.LevelSee)

			held := ok(c.DB.BeginTx(t.Context(), nil))(t)
			ok(held.NewRaw(test.held).Exec(t.Context()))(t)
			acted, erased := make(chan error, 1), make(chan error, 1)
			go func() { acted <- test.act(c.Clinic, zubin, owner, entry) }()
			c.waitingWithPatience(t, acted)
			go func() { erased <- c.Store.EraseAccount(t.Context(), model.Operator(), zubin.UserID) }()
			c.waiting(t, 2, erased)
			testutil.Must(t, held.Rollback())
			testutil.Must(t, <-acted)
			testutil.Must(t, <-erased)
		})
	}
}

// waitingWithPatience returns when a connection waits for a lock that is not the reserved one,
// which gives up soon and leaves the statement to another.
func (c care) waitingWithPatience(t *testing.T, done chan error) {
	t.Helper()
	reserved := ok(store.ReservedPID(t.Context(), c.Store))(t)
	for n := 0; n == 0 && len(done) == 0; {
		testutil.Must(t, c.DB.NewRaw(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> ?`, reserved).Scan(t.Context(), &n))
	}
}

// TestErase_TheAccountComesBeforeItsCodes: a code that is used at the same time is gone.
func TestErase_TheAccountComesBeforeItsCodes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		send func(c *storetest.Clinic, zubin *storetest.Account) error
		use  func(c *storetest.Clinic, zubin *storetest.Account, data map[string]string) error
	}{
		"confirms the address": {
			func(c *storetest.Clinic, zubin *storetest.Account) error {
				return errOf(c.Store.SendConfirmation(t.Context(), zubin.Viewer))
			},
			func(c *storetest.Clinic, zubin *storetest.Account, data map[string]string) error {
				return errOf(c.Store.ConfirmEmail(t.Context(), zubin.Viewer, data["code"]))
			},
		},
		"resets the password": {
			func(c *storetest.Clinic, zubin *storetest.Account) error {
				return c.Store.SendReset(t.Context(), zubin.Confirm().UserID)
			},
			func(c *storetest.Clinic, _ *storetest.Account, data map[string]string) error {
				return c.Store.ResetPassword(t.Context(), data["token"], "hash")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := care{Clinic: concurrentClinic(t)}
			zubin := c.Owner("Zubin")
			testutil.Must(t, test.send(c.Clinic, zubin))
			mails := c.Mail()
			data := mails[len(mails)-1].Data

			held := ok(c.DB.BeginTx(t.Context(), nil))(t)
			ok(held.NewRaw("SELECT FROM sessions FOR UPDATE").Exec(t.Context()))(t)
			used, erased := make(chan error, 1), make(chan error, 1)
			go func() { erased <- c.Store.EraseAccount(t.Context(), model.Operator(), zubin.UserID) }()
			c.waiting(t, 1, erased)
			go func() { used <- test.use(c.Clinic, zubin, data) }()
			c.waiting(t, 2, used)
			testutil.Must(t, held.Rollback())
			testutil.Must(t, <-erased)
			if err := <-used; model.CodeOf(err) != model.CodeInvalidCode {
				t.Errorf("the code: %v", err)
			}
		})
	}
}
