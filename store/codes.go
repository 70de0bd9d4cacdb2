package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// CodeKind says what a code or token is for.
type CodeKind string

// The kinds of codes. An account has one living code of each kind.
const (
	CodeConfirm CodeKind = "CONFIRM"
	CodeReset   CodeKind = "RESET"
	CodeLink    CodeKind = "LINK"
)

// codeTries is how often a code can be tried, also with the right one.
const codeTries = 5

// ttl is how long a code lives.
func (k CodeKind) ttl() time.Duration {
	switch k {
	case CodeConfirm:
		return 24 * time.Hour
	case CodeReset:
		return 30 * time.Minute
	default:
		return 15 * time.Minute
	}
}

// code is a row of codes. A null hash means that there is no code, or no token.
type code struct {
	bun.BaseModel `bun:"table:codes"`

	AccountID int64
	Kind      CodeKind
	CodeHash  []byte
	TokenHash []byte
	ExpiresAt time.Time
}

// setCode stores a code, a token or both in place of the older ones of the kind, and
// returns when they expire.
func (s *Store) setCode(ctx context.Context, db bun.IDB, account int64, kind CodeKind, text, token string) (time.Time, error) {
	row := code{AccountID: account, Kind: kind, ExpiresAt: s.now().Add(kind.ttl())}
	var err error
	if text != "" {
		if row.CodeHash, err = s.secrets.hash(codePurpose(account, kind), text); err != nil {
			return row.ExpiresAt, fmt.Errorf("make code: %w", err)
		}
	}
	if token != "" {
		if row.TokenHash, err = s.secrets.hash(string(kind), token); err != nil {
			return row.ExpiresAt, fmt.Errorf("make token: %w", err)
		}
	}
	_, err = db.NewInsert().Model(&row).On("CONFLICT (account_id, kind) DO UPDATE").
		Set("code_hash = excluded.code_hash, token_hash = excluded.token_hash, expires_at = excluded.expires_at, tries = 0").
		Returning("NULL").Exec(ctx)
	return row.ExpiresAt, err
}

// codePurpose binds a code, which is short, to its account.
func codePurpose(account int64, kind CodeKind) string {
	return string(kind) + " " + strconv.FormatInt(account, 10)
}

const tryCode = `UPDATE codes SET tries = tries + 1
	WHERE account_id = $1 AND kind = $2 AND tries < $3 AND expires_at > $4 RETURNING code_hash, token_hash`

// tryCode counts a try and returns the living code of the account if the text is its code
// or its token, or nil.
func (s *Store) tryCode(ctx context.Context, account int64, kind CodeKind, text string) (*code, error) {
	row := code{AccountID: account, Kind: kind}
	err := s.writeReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			return conn.QueryRow(ctx, tryCode, mode, account, string(kind), codeTries, s.now()).Scan(&row.CodeHash, &row.TokenHash)
		})
	})
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // there is no living code
	}
	if err != nil {
		return nil, s.translate(ctx, "try code", err)
	}
	if !s.secrets.matches(codePurpose(account, kind), NormalCode(text), row.CodeHash) &&
		!s.secrets.matches(string(kind), strings.TrimSpace(text), row.TokenHash) {
		return nil, nil //nolint:nilnil // as above
	}
	return &row, nil
}

// codeOfToken returns the living code with the token, or nil.
func (s *Store) codeOfToken(ctx context.Context, kind CodeKind, token string) (*code, error) {
	const living = `SELECT account_id, code_hash, token_hash FROM codes WHERE token_hash = ANY ($1) AND kind = $2 AND expires_at > $3`
	row := code{Kind: kind}
	err := s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			return conn.QueryRow(ctx, living, mode, s.secrets.anyHash(string(kind), strings.TrimSpace(token)), string(kind), s.now()).
				Scan(&row.AccountID, &row.CodeHash, &row.TokenHash)
		})
	})
	if isNoRows(err) {
		return nil, nil //nolint:nilnil // there is no such token
	}
	if err != nil {
		return nil, s.translate(ctx, "read token", err)
	}
	return &row, nil
}

// useCode ends a code in the transaction of what it permits. It returns INVALID_CODE for
// the field if there is no code, or if it was used or replaced in the meantime.
func (s *Store) useCode(ctx context.Context, tx bun.Tx, row *code, field string) error {
	if row == nil {
		return model.InvalidCode(field)
	}
	result, err := tx.NewDelete().Table("codes").Where("account_id = ? AND kind = ?", row.AccountID, row.Kind).
		Where("code_hash IS NOT DISTINCT FROM ? AND token_hash IS NOT DISTINCT FROM ?", row.CodeHash, row.TokenHash).Exec(ctx)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return model.InvalidCode(field)
}

// letters are those of Crockford's Base32: none of them looks like another. digits are the
// first of them.
const (
	letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	digits  = "0123456789"
)

// NewCode returns a random code of Crockford's Base32, with 5 bits in each character.
func NewCode(length int) string { return randomText(length, letters) }

func randomText(length int, letters string) string {
	text := make([]byte, length)
	for i := range text {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(letters)))) // never fails, says the documentation of Reader
		text[i] = letters[n.Int64()]
	}
	return string(text)
}

// newToken returns 32 random bytes as text.
func newToken() string {
	var token [32]byte
	_, _ = rand.Read(token[:]) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(token[:])
}

// NormalCode reads a code as people type it: they confuse O with 0, and I and L with 1, and
// add hyphens and white space.
func NormalCode(text string) string {
	return strings.NewReplacer(" ", "", "-", "", "\t", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(text)))
}
