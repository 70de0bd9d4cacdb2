package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// lastMail returns the data of the newest mail of the kind.
func lastMail(t *testing.T, c *storetest.Clinic, kind model.MailKind) map[string]string {
	t.Helper()
	var newest *store.Mail
	for _, m := range c.Mail() {
		if m.Kind == kind {
			newest = m
		}
	}
	if newest == nil {
		t.Fatalf("there is no mail %s", kind)
	}
	return newest.Data
}

func events(t *testing.T, c *storetest.Clinic, account int64) (kinds []string) {
	t.Helper()
	testutil.Must(t, c.DB.NewRaw("SELECT kind FROM security_events WHERE account_id = ? ORDER BY id", account).Scan(t.Context(), &kinds))
	return kinds
}

func TestConfirmEmail_ByTheCodeOrTheToken(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"code", "token"} {
		c := storetest.New(t)
		asha, banu := c.Owner("Asha"), c.Owner("Banu")
		codes := map[string]map[string]string{}
		for _, m := range c.Mail() {
			codes[m.Username] = m.Data
		}
		testutil.Equal(t, "length of the code", len(codes["Asha"]["code"]), 6)
		testutil.Equal(t, "length of the token", len(codes["Asha"]["token"]), 43)
		_, err := c.Store.ConfirmEmail(t.Context(), banu.Viewer, codes["Asha"][part])
		wantCode(t, err, model.CodeInvalidCode, "code")
		_, err = c.Store.ConfirmEmail(t.Context(), nil, codes["Asha"][part])
		wantCode(t, err, model.CodeUnauthenticated)
		testutil.Equal(t, "confirmed", ok(c.Store.ConfirmEmail(t.Context(), asha.Viewer, " "+codes["Asha"][part]+" "))(t).IsConfirmed, true)
		testutil.Equal(t, "Banu", ok(c.Store.User(t.Context(), banu.Viewer, banu.UserID))(t).IsConfirmed, false)
		testutil.Equal(t, "events", events(t, c, asha.UserID), []string{"ACCOUNT_CREATED", "EMAIL_CONFIRMED"})
		_, err = c.Store.ConfirmEmail(t.Context(), asha.Viewer, codes["Asha"][part])
		wantCode(t, err, model.CodeInvalidCode, "code")
		ok(c.Store.SendConfirmation(t.Context(), asha.Viewer))(t)
		testutil.Equal(t, "mails to a confirmed address", len(c.Mail()), 0)
	}
}

func TestConfirmEmail_TheCodeEnds(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := storetest.New(t, now.use)
	asha := c.Owner("Asha")
	confirm := func(code string) error { return errOf(c.Store.ConfirmEmail(t.Context(), asha.Viewer, code)) }
	first := lastMail(t, c, model.MailConfirmEmail)
	ok(c.Store.SendConfirmation(t.Context(), asha.Viewer))(t)
	second := lastMail(t, c, model.MailConfirmEmail)
	for _, part := range []string{"code", "token"} {
		if first[part] != second[part] {
			wantCode(t, confirm(first[part]), model.CodeInvalidCode, "code")
		}
	}
	for range 3 {
		wantCode(t, confirm("nothing"), model.CodeInvalidCode, "code")
	}
	wantCode(t, confirm(second["code"]), model.CodeInvalidCode, "code") // the sixth try
	ok(c.Store.SendConfirmation(t.Context(), asha.Viewer))(t)
	third := lastMail(t, c, model.MailConfirmEmail)
	now.pass(24 * time.Hour)
	wantCode(t, confirm(third["code"]), model.CodeInvalidCode, "code")
	testutil.Equal(t, "confirmed", ok(c.Store.User(t.Context(), asha.Viewer, asha.UserID))(t).IsConfirmed, false)
	now.pass(-time.Second)
	testutil.Must(t, confirm(third["code"]))
}

func TestConfirmEmail_OnceByManyAtATime(t *testing.T) {
	t.Parallel()
	c := concurrentClinic(t)
	asha := c.Owner("Asha")
	code := lastMail(t, c, model.MailConfirmEmail)["code"]
	done := 0
	for _, err := range concurrently(rivals, func(int) error { return errOf(c.Store.ConfirmEmail(t.Context(), asha.Viewer, code)) }) {
		if err == nil {
			done++
			continue
		}
		wantCode(t, err, model.CodeInvalidCode, "code")
	}
	testutil.Equal(t, "how often the code works", done, 1)
}

func TestResetPassword_EndsAllSessionsAndTellsTheOwner(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := storetest.New(t, now.use)
	asha := c.Owner("Asha").Confirm()
	c.Mail()
	reset := func(token, hash string) error { return c.Store.ResetPassword(t.Context(), token, hash) }
	request := func() string {
		testutil.Must(t, c.Store.SendReset(t.Context(), asha.UserID))
		return lastMail(t, c, model.MailResetPassword)["token"]
	}
	first, second := request(), request()
	wantCode(t, reset(first, "x"), model.CodeInvalidCode, "token")
	wantCode(t, reset("", "x"), model.CodeInvalidCode, "token")
	testutil.Equal(t, "the account of the token", ok(c.Store.CredentialOfToken(t.Context(), store.CodeReset, second))(t).UserID, asha.UserID)
	_, err := c.Store.CredentialOfToken(t.Context(), store.CodeConfirm, second)
	wantCode(t, err, model.CodeNotFound, "token")
	ok(c.Store.SessionViewer(t.Context(), asha.SessionID))(t)
	testutil.Must(t, reset(second, "new hash"))
	testutil.Equal(t, "the session", ok(c.Store.SessionViewer(t.Context(), asha.SessionID))(t), nil)
	testutil.Equal(t, "the hash", ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t).PasswordHash, "new hash")
	testutil.Equal(t, "events", events(t, c, asha.UserID), []string{"ACCOUNT_CREATED", "PASSWORD_RESET"})
	var notices []string
	testutil.Must(t, c.DB.NewRaw("SELECT kind FROM notices WHERE account_id = ?", asha.UserID).Scan(t.Context(), &notices))
	testutil.Equal(t, "notices", notices, []string{"PASSWORD_CHANGED"})
	lastMail(t, c, model.MailPasswordChanged)
	wantCode(t, reset(second, "x"), model.CodeInvalidCode, "token")

	third := request()
	now.pass(30 * time.Minute)
	wantCode(t, reset(third, "x"), model.CodeInvalidCode, "token")
	fourth := request()
	c.Exec("UPDATE users SET is_active = FALSE")
	wantCode(t, reset(fourth, "x"), model.CodeInvalidCode, "token")
}

// TestVerifyDoctor_LinksOnlyTheAccountThatShowsItsCode: an administrator links no account
// because its address looks right.
func TestVerifyDoctor_LinksOnlyTheAccountThatShowsItsCode(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := storetest.New(t, now.use)
	asha, boss := c.Owner("Asha"), c.Admin("Boss")
	priya, mallory := c.DoctorAccount("Priya"), c.DoctorAccount("Mallory")
	entry := asha.Entry("Dr. Priya")
	link := func(code *string) error {
		return errOf(c.Store.VerifyDoctor(t.Context(), boss.Viewer, entry.ID, 1, store.Verification{IsVerified: true, Account: new(&priya.UserID), LinkCode: code}))
	}
	refuse := func(what string, code *string) {
		t.Helper()
		t.Log(what)
		wantCode(t, link(code), model.CodeInvalidCode, "linkCode")
	}
	_, _, err := c.Store.CreateLinkCode(t.Context(), priya.Viewer)
	wantCode(t, err, model.CodeNotConfirmed)
	_, _, err = c.Store.CreateLinkCode(t.Context(), asha.Confirm().Viewer)
	wantCode(t, err, model.CodeForbidden)
	_, _, err = c.Store.CreateLinkCode(t.Context(), nil)
	wantCode(t, err, model.CodeUnauthenticated)

	refuse("no code", nil)
	refuse("a wrong code", new("ABCDEFGH"))
	refuse("the code of another account", mallory.LinkCode())
	older, newer := priya.LinkCode(), priya.LinkCode()
	refuse("an older code", older)
	for range 4 {
		refuse("a wrong code", new("ABCDEFGH"))
	}
	refuse("the sixth try", newer)
	late := priya.LinkCode()
	now.pass(15 * time.Minute)
	refuse("an expired code", late)
	testutil.Equal(t, "the account", ok(Doctor(t.Context(), c.Store, boss.Viewer, entry.ID))(t).AccountID, nil)

	code := priya.LinkCode()
	testutil.Equal(t, "length", len(*code), 8)
	testutil.Must(t, link(new(strings.ToLower((*code)[:4])+" "+(*code)[4:])))
	other := asha.Entry("Dr. Priya again")
	c.Exec("UPDATE doctors SET account_id = NULL")
	_, err = c.Store.VerifyDoctor(t.Context(), boss.Viewer, other.ID, 1, store.Verification{Account: new(&priya.UserID), LinkCode: code})
	wantCode(t, err, model.CodeInvalidCode, "linkCode")
}

// TestVerifyDoctor_TheSameAccountNeedsNoCode, and neither does another check.
func TestVerifyDoctor_TheSameAccountNeedsNoCode(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	boss := c.Admin("Boss")
	priya, entry := c.Doctor("Priya")
	again := func(ctx context.Context, account **int64) error {
		version := ok(Doctor(ctx, c.Store, boss.Viewer, entry.ID))(t).Version
		return errOf(c.Store.VerifyDoctor(ctx, boss.Viewer, entry.ID, version, store.Verification{IsVerified: true, Account: account}))
	}
	testutil.Must(t, again(t.Context(), new(&priya.UserID)))
	testutil.Must(t, again(t.Context(), nil))
	testutil.Must(t, again(t.Context(), new((*int64)(nil))))
	wantCode(t, again(t.Context(), new(&priya.UserID)), model.CodeInvalidCode, "linkCode")
}
