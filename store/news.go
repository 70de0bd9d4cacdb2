package store

import (
	"context"
	"slices"
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

// readFeed returns one row. In a transaction with one snapshot, a change is new if it is
// visible now and was not in the snapshot $1. The position counts for nothing if the database
// was restored since: then $1 is ahead, or the epoch is another one. A grant that has expired
// since the time $2 leaves no row in the feed.
const readFeed = `WITH fresh AS (
		SELECT kind, id, patient, accounts, at FROM change_feed
		WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
	)
	SELECT pg_current_snapshot()::text, epoch::text, pg_is_in_recovery(),
		pg_snapshot_xmax(pg_current_snapshot()) < pg_snapshot_xmax($1::text::pg_snapshot),
		ARRAY (SELECT DISTINCT patient FROM fresh WHERE patient IS NOT NULL),
		ARRAY (SELECT unnest(accounts) FROM fresh UNION SELECT account_id FROM grants
			WHERE expires_at > $2::text::timestamptz AND expires_at <= now() AND accepted_at IS NOT NULL AND account_id IS NOT NULL),
		now()::text,
		ARRAY (SELECT DISTINCT id FROM fresh WHERE kind = 'D' LIMIT $3::int + 1), ARRAY (SELECT DISTINCT id FROM fresh WHERE kind = 'U' LIMIT $3::int + 1),
		(SELECT count(*) FROM fresh), (SELECT coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM fresh)
	FROM feed_state`

// nothing is a snapshot that sees every transaction.
const nothing = "9223372036854775807:9223372036854775807:"

// maxRecords is how many doctor entries, and how many accounts, are named.
const maxRecords = 1_000

// audienceAtOnce is the number of patients of one statement.
const audienceAtOnce = 10_000

// fresh is the row of readFeed.
type fresh struct {
	snapshot, epoch, at string
	isStandby, isAhead  bool
	patients, accounts  []int64
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
		return conn.QueryRow(ctx, readFeed, mode, from, expired, maxRecords).Scan(&f.snapshot, &f.epoch, &f.isStandby, &f.isAhead,
			&f.patients, &f.accounts, &f.at, &f.doctors, &f.users, &f.changes, &f.lag)
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
	news, err := s.newsOf(ctx, f)
	if err != nil {
		return nil, since, err
	}
	return news, at, nil
}

func (s *Store) newsOf(ctx context.Context, f fresh) (*News, error) {
	news := &News{Accounts: map[int64]model.Topics{}, Changes: f.changes, Lag: time.Duration(f.lag * float64(time.Second))}
	news.name(f)
	for _, account := range f.accounts {
		news.Accounts[account] = model.AllTopics
	}
	if len(f.patients) == 0 {
		return news, nil
	}
	mask := s.policy.Types["Patient"].Exists | s.policy.Types["Mapping"].Exists
	if mask.Any(model.SignedIn) {
		news.Topics |= model.TopicPatients
	}
	if mask.Any(model.Admin) {
		news.Admins |= model.TopicPatients
	}
	for patients := range slices.Chunk(f.patients, audienceAtOnce) {
		pairs, err := s.audience(ctx, patients, mask)
		if err != nil {
			return nil, err
		}
		for _, pair := range pairs {
			news.Accounts[pair.Account] |= model.TopicPatients
		}
	}
	return news, nil
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

// inAudience is an account with a relation to a patient.
type inAudience struct{ Patient, Account int64 }

// audience returns who has one of the relations of the mask to the patients, except those
// relations that an account has to all of them.
func (s *Store) audience(ctx context.Context, patients []int64, mask model.Relations) (pairs []inAudience, err error) {
	text := patientAudience(mask)
	if text == "" {
		return nil, nil
	}
	err = s.reads.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
		rows, err := conn.Query(ctx, text, mode, patients)
		if err != nil {
			return err
		}
		pairs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[inAudience])
		return err
	})
	return pairs, s.translate(ctx, "read the audience", err)
}
