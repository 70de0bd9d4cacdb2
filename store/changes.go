package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// changes is what a store needs to read the change feed.
type changes struct {
	cursors cursorKeys
	// rules is the policy as a text.
	rules []byte
	// bare is set if the database refuses to say which cluster it is, as some managed
	// services do.
	bare atomic.Bool
	// resets counts the devices that had to start again.
	resets atomic.Int64
}

// Changes returns the next step of a device: which of the viewer's records have changed
// since the cursor in the arguments, or all records without one. It returns
// BAD_USER_INPUT and INVALID_CURSOR for bad arguments, and UNAVAILABLE on a standby, where
// a running transaction looks like an ended one.
//
// A device that reads the records after the step, in a later snapshot, loses nothing: the
// cursor is older, so what happens in between comes with the next step.
func (s *Store) Changes(ctx context.Context, v *model.Viewer, args query.Args) (*model.ChangeSet, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	first, p, err := s.changesArgs(v, args)
	if err != nil {
		return nil, err
	}
	found, err := s.readChanges(ctx, v, p)
	if err == nil && found.reset && p.last() != "" {
		s.changes.resets.Add(1)
		p = position{Kinds: p.Kinds}
		found, err = s.readChanges(ctx, v, p)
	}
	if err != nil {
		return nil, err
	}
	return s.step(v, p, found, first)
}

// changesArgs returns the number of entries and the position in the arguments.
func (s *Store) changesArgs(v *model.Viewer, args query.Args) (first int, p position, err error) {
	first = model.MaxPage
	if n := query.Arg[int](args, "first"); n != nil {
		first = *n
	}
	if first < 1 || first > model.MaxPage {
		return 0, p, model.NewFieldError("first", model.CodeBadUserInput, fmt.Sprintf("first must lie between 1 and %d.", model.MaxPage))
	}
	wanted, _ := args["types"].([]model.ChangeType)
	kinds := s.kindsOf(wanted)
	if after := query.Arg[string](args, "after"); after != nil {
		known, ok, err := s.changes.cursors.open(v.UserID, *after)
		if err != nil {
			return 0, p, err
		}
		if !ok || known.Kinds != kinds {
			return 0, p, model.NewFieldError("after", model.CodeInvalidCursor, "after is not a cursor of this account for these types. Start again without it.")
		}
		p = known
	}
	p.Kinds = kinds
	return first, p, nil
}

// kindsOf returns the letters of the types, or of all of them for nil.
func (s *Store) kindsOf(types []model.ChangeType) string {
	var letters strings.Builder
	for _, t := range s.records.Followed() {
		if types == nil || slices.Contains(types, t.Feed.Type) {
			letters.WriteString(string(t.Feed.Kind))
		}
	}
	return letters.String()
}

// last returns the newest snapshot of the position, and since the one after which it
// needs all changes.
func (p position) last() string  { return cmp.Or(p.Round, p.Base) }
func (p position) since() string { return cmp.Or(p.Base, p.Round) }

// foundChanges are the changes since a position.
type foundChanges struct {
	entries []changed
	// reset says that the changes since the position are not known.
	reset                   bool
	snapshot, epoch, rights string
}

// changed is a record, which exists for the viewer or is gone.
type changed struct {
	kind   model.ChangeKind
	id     model.ID
	exists bool
}

// The columns of feedState.
const (
	stateStandby = iota
	stateSnapshot
	stateEpoch
	stateReset
	stateGrants
)

// feedState reads the state of the feed, and whether a device must start again: without a
// position; with one whose changes were pruned; with one of another history, which a
// restored database has; and if the viewer's standing has changed as a whole.
const feedState = `SELECT pg_is_in_recovery(), pg_current_snapshot()::text, concat_ws(' ', %s epoch),
	coalesce(pg_snapshot_xmin($2::pg_snapshot) <= pruned OR pg_snapshot_xmax($3::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot())
		OR EXISTS (SELECT FROM change_feed AS c WHERE c.accounts @> ARRAY[$1::bigint] AND c.kind IN ('D', 'U') AND %s), true),
	(SELECT string_agg(g.id || ' ' || g.gives, ',' ORDER BY g.id) FROM grants AS g WHERE g.account_id = $1 AND g.kind = ANY ($4::text[]) AND %s)
	FROM feed_state`

// cluster says which cluster it is, on which timeline, and which table.
const cluster = `(SELECT system_identifier FROM pg_control_system()),
	CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END, 'change_feed'::regclass::oid,`

// readChanges reads the state and the first changes of each kind in one snapshot.
func (s *Store) readChanges(ctx context.Context, v *model.Viewer, p position) (*foundChanges, error) {
	state := s.stateStatement(v, p)
	statements, byType := []*pgpipe.Statement{state}, map[*query.RecordType]*pgpipe.Statement{}
	for _, t := range s.records.Followed() {
		after := int64(0)
		switch kind := t.Feed.Kind; {
		case !strings.Contains(p.Kinds, string(kind)), kind < p.LastKind:
			continue
		case kind == p.LastKind:
			after = p.LastID
		}
		if t.Feed.Most && p.Base != "" && s.scope(t.Name, v).IsWhole() {
			statements = append(statements, query.ByValues())
		}
		byType[t] = t.Changed(v, p.Base, after)
		statements = append(statements, byType[t])
	}
	if err := s.reads.Run(ctx, statements...); err != nil {
		if !s.changes.bare.Load() && refusesControl(err) {
			s.changes.bare.Store(true)
			return s.readChanges(ctx, v, p)
		}
		return nil, s.translate(ctx, "read changes", err)
	}
	defer func() {
		for _, st := range statements {
			st.Rows.Release()
		}
	}()
	found := &foundChanges{}
	for _, t := range s.records.Followed() {
		if byType[t] == nil {
			continue
		}
		rows := byType[t].Rows
		for n := range rows.Len() {
			found.entries = append(found.entries, changed{
				t.Feed.Kind, model.ID{Kind: t.Kind, Num: rows.Int64(n, query.ChangedID)}, pgpipe.Bool(rows.Bytes(n, query.ChangedExists)),
			})
		}
	}
	return found, s.readState(ctx, v, p, found, state.Rows)
}

func (s *Store) stateStatement(v *model.Viewer, p position) *pgpipe.Statement {
	which := cluster
	if s.changes.bare.Load() {
		which = ""
	}
	grants := make([]string, 0, 2)
	if v.Grants.Any(model.HoldsTeam) {
		grants = append(grants, string(model.GrantTeam))
	}
	if v.Grants.Any(model.HoldsOne) {
		grants = append(grants, string(model.GrantSelf))
	}
	return pgpipe.NewStatement(fmt.Sprintf(feedState, which, query.Unseen("$2"), session.InForce),
		strconv.AppendInt(nil, v.UserID, 10), orNull(p.since()), orNull(p.last()), []byte("{"+strings.Join(grants, ",")+"}"))
}

// readState reads the row of stateStatement. The role and the grants of the viewer choose the
// records; the session cache may know older ones than the database for some seconds, and then
// the device starts again once more.
func (s *Store) readState(ctx context.Context, v *model.Viewer, p position, found *foundChanges, state *pgpipe.Rows) error {
	if state.Len() != 1 {
		return errors.New("read changes: feed_state has no row")
	}
	if pgpipe.Bool(state.Bytes(0, stateStandby)) {
		s.onFailure(ctx, Failure{Cause: CauseReadOnly, Operation: "read changes"})
		return unavailable()
	}
	grants, _ := state.Value(0, stateGrants)
	hash := sha256.Sum256(slices.Concat(s.changes.rules, []byte(v.Role), grants))
	found.snapshot, found.epoch = string(state.Bytes(0, stateSnapshot)), string(state.Bytes(0, stateEpoch))
	found.rights = base64.RawStdEncoding.EncodeToString(hash[:16])
	found.reset = pgpipe.Bool(state.Bytes(0, stateReset)) || p.Epoch != found.epoch || p.Rights != found.rights
	return nil
}

// step returns the first entries, and the cursor behind them.
//
// What changes while a device reads the pages of a round may be on a page that it has
// read. So the next round begins at the snapshot of the first page, and there are more
// changes until a round has one page.
func (s *Store) step(v *model.Viewer, p position, found *foundChanges, first int) (*model.ChangeSet, error) {
	set := &model.ChangeSet{Reset: p.last() == "", Changed: []model.ID{}, Gone: []model.ID{}}
	isFirst := p.Round == ""
	next := position{Epoch: found.epoch, Rights: found.rights, Kinds: p.Kinds, Base: p.Base, Round: cmp.Or(p.Round, found.snapshot)}
	if len(found.entries) > first {
		found.entries = found.entries[:first]
		last := found.entries[first-1]
		next.LastKind, next.LastID, set.HasMore = last.kind, last.id.Num, true
	} else {
		next.Base, next.Round, set.HasMore = next.Round, "", !isFirst
	}
	for _, e := range found.entries {
		if e.exists {
			set.Changed = append(set.Changed, e.id)
		} else {
			set.Gone = append(set.Gone, e.id)
		}
	}
	var err error
	set.Cursor, err = s.changes.cursors.seal(v.UserID, next)
	return set, err
}

// open sets what the options say.
func (c *changes) open(o Options) (err error) {
	if c.cursors.read = o.CursorKeys; o.CursorKeys == nil {
		c.cursors.read = func(bool) ([][]byte, error) { return o.Secrets, nil }
	}
	c.rules, err = json.Marshal(o.Policy)
	return err
}

// refusesControl reports whether the database does not let the account ask which cluster
// it is.
func refusesControl(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == "42501" || pgErr.Code == "0A000")
}

func orNull(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}
