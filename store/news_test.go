package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestNews_LateCommitsAreNotLost: a transaction that takes its place in the feed first and
// commits last.
func TestNews_LateCommitsAreNotLost(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	c.Owner("Bina") // so that no account has the id of its patient
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	hers, his := asha.Patient("P1"), ravi.Patient("P2")
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	if err != nil {
		t.Fatal(err)
	}
	late := ok(pgx.Connect(t.Context(), c.URL))(t)
	t.Cleanup(func() { _ = late.Close(context.WithoutCancel(t.Context())) })
	tx := ok(late.Begin(t.Context()))(t)
	ok(tx.Exec(t.Context(), `SELECT caregraph_changed('P', $1)`, hers.ID))(t)
	c.Exec(`SELECT caregraph_changed('P', ?)`, his.ID)

	news, at, err := c.Store.News(t.Context(), at)
	wantNews(t, news, err, ravi.UserID)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	news, at, err = c.Store.News(t.Context(), at)
	wantNews(t, news, err, asha.UserID)
	news, _, err = c.Store.News(t.Context(), at)
	wantNews(t, news, err)
}

// wantNews checks that exactly these accounts have news, of patients.
func wantNews(t *testing.T, news *store.News, err error, accounts ...int64) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]model.Topics{}
	for _, id := range accounts {
		want[id] = model.TopicPatients
	}
	if fmt.Sprint(news.Accounts) != fmt.Sprint(want) || news.Topics != 0 || news.Changes != len(accounts) {
		t.Errorf("%+v, want %v", news, want)
	}
}

// TestNews_OfAnotherDatabase: after a restore, everything may be new.
func TestNews_OfAnotherDatabase(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	if err != nil {
		t.Fatal(err)
	}
	c.Exec(`UPDATE feed_state SET epoch = gen_random_uuid()`)
	news, at, err := c.Store.News(t.Context(), at)
	if err != nil || news.Topics != model.AllTopics {
		t.Errorf("%+v %v", news, err)
	}
	news, _, err = c.Store.News(t.Context(), at)
	if err != nil || news.Topics != 0 {
		t.Errorf("%+v %v", news, err)
	}
}

// TestNews_OfManyPatients: those who see them are named, and of too many everyone.
func TestNews_OfManyPatients(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	c.Owner("Bina") // so that no account has the id of its patient
	asha := c.Owner("Asha")
	patient := asha.Patient("Arjun")
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	testutil.Must(t, err)
	change := func(others int) {
		c.Exec(`INSERT INTO change_feed (kind, id, patient) SELECT 'P', n, n FROM generate_series(?::bigint, ?) AS n`, patient.ID, patient.ID+int64(others))
	}
	change(store.MaxPatients - 1)
	news, at, err := c.Store.News(t.Context(), at)
	if err != nil || news.Topics != 0 || len(news.Accounts) != 1 || news.Accounts[asha.UserID] != model.TopicPatients {
		t.Errorf("%+v %v", news, err)
	}
	change(store.MaxPatients)
	news, _, err = c.Store.News(t.Context(), at)
	if err != nil || news.Topics != model.TopicPatients {
		t.Errorf("of too many: %+v %v", news, err)
	}
}

// TestNews_NamesThoseWhoLoseAccess: with all topics, and everyone for doctor entries.
func TestNews_NamesThoseWhoLoseAccess(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	if err != nil {
		t.Fatal(err)
	}
	c.Exec(`INSERT INTO change_feed (kind, id, accounts) VALUES ('M', 1, ARRAY[?::bigint]), ('D', 1, NULL)`, asha.UserID)
	news, _, err := c.Store.News(t.Context(), at)
	if err != nil || news.Accounts[asha.UserID] != model.AllTopics || len(news.Accounts) != 1 || news.Topics != model.TopicDoctors {
		t.Errorf("%+v %v", news, err)
	}
}

// TestNews_NamesWhoseGrantHasExpired: once, although nothing was written when it did.
func TestNews_NamesWhoseGrantHasExpired(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	if err != nil {
		t.Fatal(err)
	}
	c.Exec(`INSERT INTO grants (kind, level, granter_id, account_id, accepted_at, expires_at) VALUES ('TEAM', 'SEE', ?, ?, now(), clock_timestamp())`,
		asha.UserID, ravi.UserID)
	news, at, err := c.Store.News(t.Context(), at)
	if err != nil || news.Accounts[ravi.UserID] != model.AllTopics || len(news.Accounts) != 1 {
		t.Errorf("%+v %v", news, err)
	}
	news, _, err = c.Store.News(t.Context(), at)
	wantNews(t, news, err)
}

// audience compares the third form of the rules of patients with Go.
func (a agreement) audience(mask model.Relations) {
	a.Helper()
	var want []string
	ids := []int64{}
	for _, p := range a.data.patients {
		ids = append(ids, p.ID)
		for _, v := range a.data.viewers {
			if v != nil && a.data.relations(v, "Patient", p.ID).Any(mask&^(model.Anyone|model.SignedIn|model.Admin)) {
				want = append(want, fmt.Sprint(p.ID, " ", v.UserID))
			}
		}
	}
	got := ok(store.Audience(a.Context(), a.store, ids, mask))(a.T)
	known := map[int64]bool{}
	for _, v := range a.data.viewers {
		if v != nil {
			known[v.UserID] = true
		}
	}
	var pairs []string
	for _, pair := range got {
		if known[pair.Account] {
			pairs = append(pairs, fmt.Sprint(pair.Patient, " ", pair.Account))
		}
	}
	slices.Sort(want)
	slices.Sort(pairs)
	if want = slices.Compact(want); !slices.Equal(pairs, want) {
		a.Errorf("the audience of %v is %v in SQL, and %v in Go", mask.Names(), pairs, want)
	}
}

// TestNews_NameEntriesAndAccounts: those that have changed, and each account its own change.
func TestNews_NameEntriesAndAccounts(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	entry := asha.Entry("Dr. Rao")
	_, at, err := c.Store.News(t.Context(), store.FeedPosition{})
	testutil.Must(t, err)
	c.Exec(`INSERT INTO change_feed (kind, id) VALUES ('D', ?), ('U', ?), ('D', ?)`, entry.ID, asha.UserID, entry.ID)
	news, at, err := c.Store.News(t.Context(), at)
	testutil.Must(t, err)
	want := store.News{
		Accounts: map[int64]model.Topics{asha.UserID: model.TopicAccounts}, Topics: model.TopicDoctors | model.TopicAccounts,
		Records: []model.ID{entry.NodeID(), asha.User.NodeID()}, Changes: 3, Lag: news.Lag,
	}
	testutil.Equal(t, "the news", fmt.Sprint(*news), fmt.Sprint(want))
	c.Exec(`INSERT INTO change_feed (kind, id) SELECT 'D', n FROM generate_series(1, 1001) AS n`)
	news, _, err = c.Store.News(t.Context(), at)
	if err != nil || news.Topics != model.TopicDoctors || news.Records != nil {
		t.Errorf("of too many: %d records, %+v, %v", len(news.Records), news.Topics, err)
	}
}
