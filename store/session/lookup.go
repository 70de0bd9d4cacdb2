package session

import (
	"time"
	"unique"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// lookup reads the viewer, the milliseconds until the session expires by PostgreSQL's
// clock, at most one day, the account's verified doctor entry, its kinds of grants by the
// bits of model.GrantSet, and whether it has a second factor.
var lookup = unique.Make(`SELECT u.id, u.role, (extract(epoch FROM least(s.expires_at, now() + interval '1 day') - now()) * 1000)::bigint,
	(SELECT max(d.id) FROM doctors AS d WHERE d.account_id = u.id AND d.is_verified AND d.deleted_at IS NULL),
	EXISTS (SELECT FROM grants AS g WHERE g.account_id = u.id AND g.kind <> 'TEAM' AND ` + InForce + `)::integer
		+ 2 * EXISTS (SELECT FROM grants AS g WHERE g.account_id = u.id AND g.kind = 'TEAM' AND ` + InForce + `)::integer
		+ 4 * (EXISTS (SELECT FROM grants AS g WHERE g.account_id = u.id) OR EXISTS (SELECT FROM grants AS g WHERE g.granter_id = u.id))::integer, u.has_totp
	FROM sessions AS s JOIN users AS u ON u.id = s.user_id
	WHERE s.id = $1 AND ` + isLive)

// isLive is the condition that a session s of an account u is not over.
const isLive = `s.ended_at IS NULL AND s.expires_at > now() AND u.is_active`

// Live is the text of a statement that returns those of the sessions $1 that are not over.
const Live = `SELECT s.id FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.id = ANY ($1) AND ` + isLive

// InForce is the condition that a grant g gives access. Go has it in model.Grant.InForce.
const InForce = `g.accepted_at IS NOT NULL AND g.ended_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > now())`

// Lookup returns the statement that looks a session up.
func Lookup(id string) *pgpipe.Statement {
	return &pgpipe.Statement{Text: lookup, Args: [][]byte{[]byte(id)}}
}

// Result is the result of a lookup: the viewer that the session acts for, nil if it has
// ended or expired or its account is not active; the time until it expires; and the
// account's verified doctor entry, or 0.
type Result struct {
	Viewer    *model.Viewer
	Left      time.Duration
	OwnDoctor int64
	HasTotp   bool
}

// Read reads the result of a Lookup, and releases the rows.
func Read(id string, rows *pgpipe.Rows) (r Result) {
	defer rows.Release()
	if rows.Len() == 0 {
		return r
	}
	r.Viewer = &model.Viewer{UserID: rows.Int64(0, 0), Role: model.Role(rows.Bytes(0, 1)), SessionID: id}
	r.Left = time.Duration(rows.Int64(0, 2)) * time.Millisecond
	if value, ok := rows.Value(0, 3); ok {
		r.OwnDoctor = pgpipe.BigInt(value)
	}
	r.Viewer.Grants = model.GrantSet(rows.Int(0, 4)) //nolint:gosec // three bits
	r.HasTotp = pgpipe.Bool(rows.Bytes(0, 5))
	return r
}
