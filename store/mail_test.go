package store_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// clock is a clock that the test sets.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Now().Truncate(time.Microsecond)} }

func (c *clock) use(o *store.Options) { o.Now = func() time.Time { return c.now } }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// deliver sends what is due, and returns the ids. A nil err means that it arrives.
func deliver(t *testing.T, s *store.Store, err error) (ids []int64, d store.Delivered) {
	t.Helper()
	d = ok(s.DeliverMail(t.Context(), func(_ context.Context, m *store.Mail) error {
		ids = append(ids, m.ID)
		return err
	}))(t)
	return ids, d
}

var errDown = errors.New("down")

func TestMail_GoesToTheAccountAndOnlyIfItMay(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	for _, first := range c.Mail() {
		testutil.Equal(t, "after the registration", first.Kind, model.MailConfirmEmail)
	}
	send := func() {
		for _, kind := range model.MailKinds() {
			testutil.Must(t, store.SendMail(t.Context(), c.Store, asha.UserID, kind, map[string]string{"token": "secret"}))
		}
	}
	kinds := func() (kinds []model.MailKind) {
		for _, m := range c.Mail() {
			kinds = append(kinds, m.Kind)
			testutil.Equal(t, "the receiver", string(m.To)+" "+m.Username+" "+m.Data["token"], "asha@clinic.example Asha secret")
		}
		return kinds
	}
	send()
	testutil.Equal(t, "not confirmed", kinds(), []model.MailKind{model.MailConfirmEmail, model.MailAlreadyRegistered})
	asha.Confirm()
	send()
	testutil.Equal(t, "confirmed", kinds(), model.MailKinds())
	send()
	c.Exec("UPDATE users SET is_active = FALSE")
	testutil.Equal(t, "not active", kinds(), nil)
	send()
	c.Exec("UPDATE users SET is_active = TRUE")
	testutil.Equal(t, "active again", kinds(), model.MailKinds())
}

// TestMail_IsSealed: the database alone does not reveal what a mail contains, and a new
// key does not lose it.
func TestMail_IsSealed(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha").Confirm()
	testutil.Must(t, store.SendMail(t.Context(), c.Store, asha.UserID, model.MailResetPassword, map[string]string{"token": "a-long-token"}))
	for _, table := range []string{"mail", "codes"} {
		var dump string
		testutil.Must(t, c.DB.NewRaw("SELECT coalesce(string_agg(encode(t::text::bytea, 'escape') || encode(data, 'escape'), ''), '') FROM (SELECT *, "+
			map[string]string{"mail": "data AS d", "codes": "''::bytea AS data"}[table]+" FROM "+table+") AS t").Scan(t.Context(), &dump))
		if strings.Contains(dump, "a-long-token") {
			t.Errorf("%s contains the token: %s", table, dump)
		}
	}
	another := bytes.Repeat([]byte{2}, 32)
	open := func(secrets ...[]byte) *store.Store {
		s := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Secrets: secrets}))(t)
		t.Cleanup(s.Close)
		return s
	}
	_, d := deliver(t, open(another), nil)
	testutil.Equal(t, "with another key", d, store.Delivered{Failed: 2})
	c.Exec("UPDATE mail SET next_at = now()")
	_, d = deliver(t, open(another, storetest.Secrets()[0]), nil)
	testutil.Equal(t, "with a newer key", d, store.Delivered{Sent: 2})
	c.Exec("UPDATE mail SET sent_at = NULL, account_id = (SELECT min(id) FROM users), kind = 'CONFIRM_EMAIL'")
	if _, d = deliver(t, c.Store, nil); d.Sent > 1 {
		t.Error("the data of one row opens in another one")
	}
	if _, err := open().CreateUser(t.Context(), &model.User{Username: "x", Email: "x@clinic.example", Role: model.RolePatient}, "hash", func(id int64) (store.Session, error) {
		return storetest.Session("x", id, "x"), nil
	}); err == nil {
		t.Error("a store without secrets makes codes")
	}
}

// TestMail_IsNotLost while the SMTP server is down for an hour.
func TestMail_IsNotLost(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := storetest.New(t, now.use)
	for _, name := range []string{"Asha", "Banu", "Chitra"} {
		c.Owner(name)
	}
	tries := map[int64]int{}
	for begin := now.now; now.now.Sub(begin) < time.Hour; now.pass(time.Second) {
		ids, _ := deliver(t, c.Store, errDown)
		for _, id := range ids {
			tries[id]++
		}
		if len(ids) == 0 {
			now.pass(29 * time.Second)
		}
	}
	for id, n := range tries {
		if n < 4 || n > 7 {
			t.Errorf("mail %d was tried %d times within an hour", id, n)
		}
	}
	now.pass(time.Hour)
	ids, d := deliver(t, c.Store, nil)
	testutil.Equal(t, "afterwards", d, store.Delivered{Sent: 3})
	testutil.Equal(t, "each once", len(ids), 3)
	ids, _ = deliver(t, c.Store, nil)
	testutil.Equal(t, "again", ids, nil)
}

func TestMail_IsGivenUpAfterThreeDaysAndRemovedAfterSeven(t *testing.T) {
	t.Parallel()
	now := newClock()
	c := storetest.New(t, now.use)
	c.Owner("Asha")
	rows := func() (n int) {
		testutil.Must(t, c.DB.NewRaw("SELECT (SELECT count(*) FROM mail) + (SELECT count(*) FROM codes)").Scan(t.Context(), &n))
		return n
	}
	var pauses []time.Duration
	var total store.Delivered
	begin, last := now.now, now.now
	for ; now.now.Sub(begin) < 4*24*time.Hour && total.Dropped == 0; now.pass(time.Minute) {
		ids, d := deliver(t, c.Store, errDown)
		if len(ids) > 0 {
			pauses = append(pauses, now.now.Sub(last))
			last = now.now
		}
		total.Dropped += d.Dropped
		if n := len(pauses); n > 9 {
			now.pass(3 * time.Hour)
		}
	}
	for i, want := range []time.Duration{0, 1, 2, 4, 8, 16, 32, 64, 128, 256} {
		testutil.Equal(t, "pause", pauses[i], want*time.Minute)
	}
	testutil.Equal(t, "given up", total, store.Delivered{Dropped: 1})
	if after := now.now.Sub(begin); after < 3*24*time.Hour || after > 3*24*time.Hour+7*time.Hour {
		t.Errorf("given up after %v", after)
	}
	now.now = begin.Add(7*24*time.Hour - time.Second)
	testutil.Must(t, c.Store.SweepMail(t.Context()))
	testutil.Equal(t, "before seven days: the mail, and no code", rows(), 1)
	now.pass(2 * time.Second)
	testutil.Must(t, c.Store.SweepMail(t.Context()))
	testutil.Equal(t, "after seven days", rows(), 0)
}

// TestMail_KilledBetweenSendAndMark sends the same mail once more.
func TestMail_KilledBetweenSendAndMark(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	c.Owner("Asha")
	var ids []int64
	killed, kill := context.WithCancel(t.Context())
	if _, err := c.Store.DeliverMail(killed, func(_ context.Context, m *store.Mail) error {
		ids = append(ids, m.ID)
		kill()
		return nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("killed: %v", err)
	}
	for range 2 {
		again, _ := deliver(t, c.Store, nil)
		ids = append(ids, again...)
	}
	testutil.Equal(t, "sent", ids, []int64{1, 1})
}

// TestMail_OneServerSends at a time: the other one does nothing meanwhile.
func TestMail_OneServerSends(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	c.Owner("Asha")
	c.Owner("Banu")
	other := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 2, Secrets: storetest.Secrets()}))(t)
	t.Cleanup(other.Close)
	var ids []int64
	d := ok(c.Store.DeliverMail(t.Context(), func(_ context.Context, m *store.Mail) error {
		ids = append(ids, m.ID)
		meanwhile, _ := deliver(t, other, nil)
		testutil.Equal(t, "of the other server", meanwhile, nil)
		return nil
	}))(t)
	testutil.Equal(t, "sent", d, store.Delivered{Sent: 2})
	testutil.Equal(t, "mails", ids, []int64{1, 2})
}
