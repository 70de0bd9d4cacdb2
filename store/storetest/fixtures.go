package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/internal/policy"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// RefreshGrace is that of a store unless an option changes it: the default of the server.
const RefreshGrace = 10 * time.Second

// Secrets returns the secrets of each store in a test.
func Secrets() [][]byte { return [][]byte{[]byte("a secret of the tests, 32 bytes.")} }

// SessionTTL is that of a store, like RefreshGrace.
const SessionTTL = 720 * time.Hour

// Clinic is a store on a new database, with methods that create records. They use the
// store, so that the records are valid, and fail the test on an error.
type Clinic struct {
	Store *store.Store
	// DB is the same database without rules.
	DB *bun.DB
	// URL is the address of the database.
	URL string

	tb    testing.TB
	count atomic.Int64
}

// New opens a clinic that closes with the test. Options change those of the store; the
// default policy is that of schema.graphqls.
func New(tb testing.TB, options ...func(*store.Options)) *Clinic {
	tb.Helper()
	return Open(tb, Database(tb), options...)
}

// Open is New on the database at the URL.
func Open(tb testing.TB, url string, options ...func(*store.Options)) *Clinic {
	tb.Helper()
	o := store.Options{Connections: 4, RefreshGrace: RefreshGrace, SessionTTL: SessionTTL, Secrets: Secrets()}
	for _, option := range options {
		option(&o)
	}
	if o.Policy == nil {
		o.Policy = Policy(tb)
	}
	c := &Clinic{tb: tb, URL: url}
	config, err := pgx.ParseConfig(c.URL)
	testutil.Must(c.tb, err)
	c.DB = bun.NewDB(stdlib.OpenDB(*config), pgdialect.New())
	tb.Cleanup(func() { testutil.Must(c.tb, c.DB.Close()) })
	c.Store, err = store.Open(tb.Context(), c.URL, o)
	testutil.Must(c.tb, err)
	tb.Cleanup(c.Store.Close)
	return c
}

// Policy returns the policy of schema.graphqls. Edits are pairs of a text in the schema
// and its replacement.
func Policy(tb testing.TB, edits ...string) *model.Policy {
	tb.Helper()
	path := filepath.Join(repository(tb), "schema.graphqls")
	text, err := os.ReadFile(path) //nolint:gosec // G304: a file of the repository
	testutil.Must(tb, err)
	edited := string(text)
	for i := 0; i < len(edits); i += 2 {
		if strings.Count(edited, edits[i]) != 1 {
			tb.Fatalf("the schema does not hold %q once", edits[i])
		}
		edited = strings.Replace(edited, edits[i], edits[i+1], 1)
	}
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: edited})
	testutil.Must(tb, err)
	rules, err := policy.Compile(schema)
	testutil.Must(tb, err)
	return rules
}

// repository returns the directory of go.mod, above the package under test.
func repository(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	testutil.Must(tb, err)
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	tb.Fatal("no go.mod above the package under test")
	return ""
}

// Account is an account with its viewer.
type Account struct {
	*model.Viewer

	User   *model.User
	clinic *Clinic
}

// Owner returns a new account with the role PATIENT, which can own patients and doctor
// entries.
func (c *Clinic) Owner(name string) *Account { return c.Account(name, model.RolePatient) }

// DoctorAccount returns a new account with the role DOCTOR, without an entry.
func (c *Clinic) DoctorAccount(name string) *Account { return c.Account(name, model.RoleDoctor) }

// Admin returns a new administrator.
func (c *Clinic) Admin(name string) *Account { return c.Account(name, model.RoleAdmin) }

// Stranger returns a new account without records.
func (c *Clinic) Stranger() *Account { return c.Owner("Stranger") }

// Account returns a new account. Its password hash is "hash of <name>",
// its e-mail address is name@clinic.example, and its first session is
// "session-of-<name>" with the refresh token "refresh-of-<name>".
func (c *Clinic) Account(name string, role model.Role) *Account {
	c.tb.Helper()
	u := &model.User{Username: name, Email: model.ParseEmail(name + "@clinic.example"), Phone: new(c.phone()), Role: role}
	u, err := c.Store.CreateUser(c.tb.Context(), u, "hash of "+name, func(id int64) (store.Session, error) {
		return Session("session-of-"+name, id, "refresh-of-"+name), nil
	})
	testutil.Must(c.tb, err)
	return &Account{Viewer: &model.Viewer{UserID: u.ID, Role: role, SessionID: "session-of-" + name}, User: u, clinic: c}
}

// Session returns a session that lasts for the test.
func Session(id string, user int64, refresh string) store.Session {
	return store.Session{ID: id, UserID: user, RefreshID: refresh, ExpiresAt: time.Now().Add(time.Hour)}
}

// Doctor returns a new doctor's account with its own, verified entry.
func (c *Clinic) Doctor(name string) (*Account, *model.Doctor) {
	c.tb.Helper()
	account := c.DoctorAccount(name)
	return account, c.Verify(account.OwnEntry("Dr. " + name))
}

// Verify verifies the entry as an administrator.
func (c *Clinic) Verify(entry *model.Doctor) *model.Doctor {
	c.tb.Helper()
	entry, err := c.VerifyAs(model.Operator(), entry.ID, store.Verification{IsVerified: true})
	testutil.Must(c.tb, err)
	return entry
}

// Link verifies the entry and links it to the account, as an administrator.
func (c *Clinic) Link(entry *model.Doctor, account *Account) *model.Doctor {
	c.tb.Helper()
	entry, err := c.VerifyAs(model.Operator(), entry.ID, store.Verification{IsVerified: true, Account: new(&account.UserID)})
	testutil.Must(c.tb, err)
	return entry
}

// VerifyAs stores the result of a check of the version that the entry has now. An account
// to link shows its code.
func (c *Clinic) VerifyAs(v *model.Viewer, id int64, check store.Verification) (*model.Doctor, error) {
	if check.Account != nil && *check.Account != nil && check.LinkCode == nil {
		check.LinkCode = c.linkCode(**check.Account)
	}
	for expected := 1; ; {
		entry, err := c.Store.VerifyDoctor(c.tb.Context(), v, id, expected, check)
		if model.CodeOf(err) != model.CodeVersionConflict {
			return entry, err
		}
		expected = entry.Version
	}
}

// Confirm confirms the address of the account.
func (a *Account) Confirm() *Account {
	a.clinic.tb.Helper()
	a.clinic.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = ?", a.UserID)
	return a
}

// LinkCode confirms the address of the account and returns a code to link it.
func (a *Account) LinkCode() *string { return a.clinic.linkCode(a.UserID) }

// linkCode returns nil if there is no such account.
func (c *Clinic) linkCode(account int64) *string {
	c.tb.Helper()
	c.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = ?", account)
	code, _, err := c.Store.CreateLinkCode(c.tb.Context(), &model.Viewer{UserID: account, Role: model.RoleDoctor})
	if err != nil {
		return nil
	}
	return &code
}

// Mail sends the mails that are due and returns them.
func (c *Clinic) Mail() []*store.Mail {
	c.tb.Helper()
	var mails []*store.Mail
	_, err := c.Store.DeliverMail(c.tb.Context(), func(_ context.Context, m *store.Mail) error {
		mails = append(mails, m)
		return nil
	})
	testutil.Must(c.tb, err)
	return mails
}

// Reset gives the entry its texts again and verifies it, as an administrator.
func (c *Clinic) Reset(entry *model.Doctor) *model.Doctor {
	c.tb.Helper()
	c.Exec("UPDATE doctors SET name = ?, license_number = ?, specialization = ?, address = ? WHERE id = ?",
		entry.Name, entry.LicenseNumber, entry.Specialization, entry.Address, entry.ID)
	again, err := c.VerifyAs(model.Operator(), entry.ID, store.Verification{IsVerified: true, KeepsMappings: true})
	testutil.Must(c.tb, err)
	return again
}

// NewPatient returns a valid patient that is not stored.
func (c *Clinic) NewPatient(name string) *model.Patient {
	return &model.Patient{
		Name: name, DateOfBirth: model.ParseDate("1990-05-15"), Gender: model.GenderMale,
		Phone: c.phone(), Address: "12 MG Road, Bengaluru", EmergencyContact: "+919876500000",
		BloodGroup: new(model.BPositive), MedicalHistory: new("history of " + name),
	}
}

// Patient stores a patient of the account, with the edits.
func (a *Account) Patient(name string, edits ...func(*model.Patient)) *model.Patient {
	a.clinic.tb.Helper()
	p := a.clinic.NewPatient(name)
	for _, edit := range edits {
		edit(p)
	}
	p, err := a.clinic.Store.CreatePatient(a.clinic.tb.Context(), a.Viewer, p)
	testutil.Must(a.clinic.tb, err)
	return p
}

// DeletedPatient stores and deletes a patient of the account.
func (a *Account) DeletedPatient(name string) *model.Patient {
	a.clinic.tb.Helper()
	p, err := a.clinic.Store.DeletePatient(a.clinic.tb.Context(), a.Viewer, a.Patient(name).ID, nil)
	testutil.Must(a.clinic.tb, err)
	return p
}

// NewDoctor returns a valid doctor entry that is not stored.
func (c *Clinic) NewDoctor(name string) *model.Doctor {
	return &model.Doctor{
		Name: name, Email: "desk@practice.example", Phone: c.phone(), Specialization: "Cardiology",
		LicenseNumber: fmt.Sprintf("KMC-%05d", c.count.Add(1)), ExperienceYears: 12,
		Address: "4 Church Street, Bengaluru", ConsultationFee: model.ParseDecimal("1500"),
		Availability: "Mon-Fri 9AM-5PM",
	}
}

// Entry stores an unverified doctor entry of the account, with the edits and without a
// linked account.
func (a *Account) Entry(name string, edits ...func(*model.Doctor)) *model.Doctor {
	a.clinic.tb.Helper()
	d := a.clinic.NewDoctor(name)
	for _, edit := range edits {
		edit(d)
	}
	d, err := a.clinic.Store.CreateDoctor(a.clinic.tb.Context(), a.Viewer, d, false)
	testutil.Must(a.clinic.tb, err)
	return d
}

// OwnEntry stores an unverified doctor entry that is linked to the account.
func (a *Account) OwnEntry(name string) *model.Doctor {
	a.clinic.tb.Helper()
	d, err := a.clinic.Store.CreateDoctor(a.clinic.tb.Context(), a.Viewer, a.clinic.NewDoctor(name), true)
	testutil.Must(a.clinic.tb, err)
	return d
}

// DeletedEntry stores and deletes a doctor entry of the account.
func (a *Account) DeletedEntry(name string) *model.Doctor {
	a.clinic.tb.Helper()
	d, err := a.clinic.Store.DeleteDoctor(a.clinic.tb.Context(), a.Viewer, a.Entry(name).ID, nil)
	testutil.Must(a.clinic.tb, err)
	return d
}

// Assign assigns the doctor to a patient of the account.
func (a *Account) Assign(patient *model.Patient, entry *model.Doctor) *model.Mapping {
	a.clinic.tb.Helper()
	m, err := a.clinic.Store.AssignDoctor(a.clinic.tb.Context(), a.Viewer, &model.Mapping{
		PatientID: patient.ID, DoctorID: entry.ID, Notes: new("notes on " + patient.Name),
	})
	testutil.Must(a.clinic.tb, err)
	return m
}

// Remove ends a mapping of one of the account's patients.
func (a *Account) Remove(m *model.Mapping) *model.Mapping {
	a.clinic.tb.Helper()
	m, err := a.clinic.Store.RemoveMapping(a.clinic.tb.Context(), a.Viewer, m.ID, nil)
	testutil.Must(a.clinic.tb, err)
	return m
}

// Exec runs a statement without rules.
func (c *Clinic) Exec(statement string, args ...any) sql.Result {
	c.tb.Helper()
	result, err := c.DB.ExecContext(c.tb.Context(), statement, args...)
	testutil.Must(c.tb, err)
	return result
}

// phone returns a new Indian mobile number.
func (c *Clinic) phone() model.PhoneNumber {
	return model.PhoneNumber(fmt.Sprintf("+9198%08d", c.count.Add(1)))
}
