package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/model"
)

// News says who may have something new. It names accounts that can see what changed, or
// could see it until then.
type News struct {
	// Accounts have something new of these topics. Topics are what everyone may have, and
	// Admins what every administrator has.
	Accounts       map[int64]model.Topics
	Topics, Admins model.Topics
	// Records are the doctor entries and accounts of Topics; nil if they are too many to name.
	Records []model.ID
	// Changes counts the rows of the feed, and Lag is the age of the oldest.
	Changes int
	Lag     time.Duration
}

// FeedPosition is a place in the change feed, and the time of the database then. The zero
// value is before the first news.
type FeedPosition struct{ snapshot, epoch, at string }

const (
	// maxRecords is how many doctor entries, and how many accounts, are named.
	maxRecords = 1_000
	// maxPatients is of how many patients a change names those who see them.
	maxPatients = 100_000
)

// feedReader returns the statement that reads the feed, as one row. In a transaction with one
// snapshot, a change is new if it is visible now and was not in the snapshot $1. The position
// counts for nothing if the database was restored since: then $1 is ahead, or the epoch is
// another one. A grant that has expired since the time $2 leaves no row in the feed.
func feedReader(visible model.Relations) string {
	audience := "NULL::bigint[]"
	if who := patientAudience(visible, "ARRAY (SELECT id FROM concerned)"); who != "" {
		audience = "ARRAY (SELECT DISTINCT account FROM (" + who + ") AS audience (patient, account))"
	}
	records := func(kind model.ChangeKind) string {
		return fmt.Sprintf("ARRAY (SELECT DISTINCT id FROM fresh WHERE kind = '%s' LIMIT %d)", kind, maxRecords+1)
	}
	return fmt.Sprintf(`WITH fresh AS (
		SELECT kind, id, patient, accounts, at FROM change_feed
		WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
	), concerned AS (SELECT DISTINCT patient AS id FROM fresh WHERE patient IS NOT NULL LIMIT %d)
	SELECT pg_current_snapshot()::text, epoch::text, pg_is_in_recovery(),
		pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($1::text::pg_snapshot),
		(SELECT count(*) FROM concerned), %s,
		ARRAY (SELECT unnest(accounts) FROM fresh UNION SELECT account_id FROM grants
			WHERE expires_at > $2::text::timestamptz AND expires_at <= now() AND accepted_at IS NOT NULL AND account_id IS NOT NULL),
		now()::text, %s, %s,
		(SELECT count(*) FROM fresh), (SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM fresh)
	FROM feed_state`, maxPatients+1, audience, records(model.ChangedDoctor), records(model.ChangedUser))
}

// nothing is a snapshot that sees every transaction.
const nothing = "9223372036854775807:9223372036854775807:"

// fresh is the row of the feed's reader. audience are the accounts that have a relation to
// one of the patients, except those that have it to all of them.
type fresh struct {
	snapshot, epoch, at string
	isStandby, isAhead  bool
	patients            int
	audience, accounts  []int64
	doctors, users      []int64
	changes             int
	lag                 float64
}

// News returns what is new since a position, and the next position. Of a new position
// everything may be new. It fails on a standby, whose snapshots hide changes.
func (s *Store) News(ctx context.Context, since FeedPosition) (*News, FeedPosition, error) {
	from, expired := since.snapshot, since.at
	if from == "" {
		from, expired = nothing, "infinity"
	}
	var f fresh
	err := s.reads.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
		return conn.QueryRow(ctx, s.readFeed, mode, from, expired).Scan(&f.snapshot, &f.epoch, &f.isStandby, &f.isAhead,
			&f.patients, &f.audience, &f.accounts, &f.at, &f.doctors, &f.users, &f.changes, &f.lag)
	})
	if err != nil {
		return nil, since, s.translate(ctx, "read the change feed", err)
	}
	if f.isStandby {
		return nil, since, model.NewError(model.CodeUnavailable, "The change feed needs the primary.")
	}
	at := FeedPosition{f.snapshot, f.epoch, f.at}
	if since.snapshot == "" || f.isAhead || f.epoch != since.epoch {
		return &News{Topics: model.AllTopics}, at, nil
	}
	return s.newsOf(f), at, nil
}

// newsOf names those that have news. Of too many patients everyone may have news.
func (s *Store) newsOf(f fresh) *News {
	news := &News{Accounts: map[int64]model.Topics{}, Changes: f.changes, Lag: time.Duration(f.lag * float64(time.Second))}
	news.name(f)
	for _, account := range f.accounts {
		news.Accounts[account] = model.AllTopics
	}
	if f.patients == 0 {
		return news
	}
	visible := s.visiblePatients()
	if visible.Any(model.SignedIn) || f.patients > maxPatients {
		news.Topics |= model.TopicPatients
	}
	if visible.Any(model.Admin) {
		news.Admins |= model.TopicPatients
	}
	for _, account := range f.audience {
		news.Accounts[account] |= model.TopicPatients
	}
	return news
}

// visiblePatients returns the relations that make a patient or its mappings exist.
func (s *Store) visiblePatients() model.Relations {
	return s.policy.Types["Patient"].Exists | s.policy.Types["Mapping"].Exists
}

// name adds the doctor entries and the accounts that have changed.
func (n *News) name(f fresh) {
	for _, id := range f.doctors {
		n.Topics |= model.TopicDoctors
		n.Records = append(n.Records, model.ID{Kind: model.KindDoctor, Num: id})
	}
	for _, id := range f.users {
		n.Topics |= model.TopicAccounts
		n.Records = append(n.Records, model.ID{Kind: model.KindUser, Num: id})
		n.Accounts[id] |= model.TopicAccounts
	}
	if max(len(f.doctors), len(f.users)) > maxRecords {
		n.Records = nil
	}
}
