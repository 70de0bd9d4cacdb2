package store

import (
	"cmp"
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// Credential has the columns of an account that a sign-in needs.
type Credential struct {
	UserID       int64
	Username     string
	Email        model.EmailAddress
	PasswordHash string
	IsActive     bool
	IsConfirmed  bool
	HasTotp      bool
}

// ID returns the account of the credential, nil without one.
func (c *Credential) ID() *int64 {
	if c == nil {
		return nil
	}
	return &c.UserID
}

// newUser is a user with its password hash.
type newUser struct {
	bun.BaseModel `bun:"table:users"`
	*model.User

	PasswordHash string
}

// CreateUser stores a new account together with its first session, which begin makes
// once the account has its id, and sends a mail to confirm its address. A session without
// an id is not stored. A nil begin is for an operator: no session, no mail. CreateUser
// returns TAKEN for username, e-mail address and phone together. The caller has validated the user. The new
// account is the viewer of the result.
func (s *Store) CreateUser(ctx context.Context, u *model.User, passwordHash string, begin func(userID int64) (Session, error)) (*model.User, error) {
	if err := s.mayWrite(nil, 0); err != nil {
		return nil, err
	}
	err := s.inTx(ctx, "create user", func(ctx context.Context, tx bun.Tx) error {
		row := newUser{User: u, PasswordHash: passwordHash}
		if err := s.insertIn(ctx, tx, &row, u, "id, created_at, is_active, is_confirmed, has_totp"); err != nil {
			return err
		}
		created := model.SecurityEvent{Kind: model.EventAccountCreated, AccountID: &u.ID}
		if begin != nil {
			created.ByID = &u.ID
		}
		if err := s.record(ctx, tx, created); err != nil || begin == nil {
			return err
		}
		if err := s.confirmByMail(ctx, tx, u.ID); err != nil {
			return err
		}
		session, err := begin(u.ID)
		if err != nil || session.ID == "" {
			return err
		}
		return s.begin(ctx, tx, session)
	})
	if model.CodeOf(err) == model.CodeTaken { // the database names one value only
		return nil, cmp.Or(s.Taken(ctx, u), err)
	}
	if err != nil {
		return nil, err
	}
	return ownAccount(u), nil
}

const takenValues = `SELECT 'users_username_key' WHERE EXISTS (SELECT FROM users WHERE lower(username) = lower($1) OR username_key = $4)
	UNION ALL SELECT 'users_email_key' WHERE EXISTS (SELECT FROM users WHERE email = $2 OR email_key = $5)
	UNION ALL SELECT 'users_phone_key' WHERE EXISTS (SELECT FROM users WHERE phone = $3)`

// Taken returns TAKEN for username, e-mail address and phone of a new account together,
// or nil.
func (s *Store) Taken(ctx context.Context, u *model.User) error {
	var taken []string
	err := s.readReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			rows, err := conn.Query(ctx, takenValues, mode,
				u.Username, string(u.Email), (*string)(u.Phone), model.UsernameKey(u.Username), string(u.Email.Canonical()))
			if err != nil {
				return err
			}
			taken, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	})
	if err != nil || len(taken) == 0 {
		return s.translate(ctx, "look for taken values", err)
	}
	apiErr := &model.Error{Code: model.CodeTaken, Message: "Already in use."}
	for _, name := range taken {
		if field, known := uniqueError(name); known {
			apiErr.Fields = append(apiErr.Fields, field)
		}
	}
	return apiErr
}

// accountColumns are the columns of a model.User in the order of account.
const accountColumns = "u.id, u.username, u.email, u.phone, u.role, u.created_at, u.is_active, u.is_confirmed, u.has_totp"

// account runs a prepared statement that writes and returns accountColumns; more gets
// the columns after them.
func (s *Store) account(ctx context.Context, text string, args []any, more ...any) (*model.User, error) {
	var u model.User
	columns := append([]any{&u.ID, &u.Username, &u.Email, &u.Phone, &u.Role, &u.CreatedAt, &u.IsActive, &u.IsConfirmed, &u.HasTotp}, more...)
	err := s.writeReserved(func(p pool) error {
		return p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
			arguments := append([]any{mode}, args...)
			if opening := p.opening(); opening != "" {
				return pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{BeginQuery: "BEGIN;" + opening}, func(tx pgx.Tx) error {
					return tx.QueryRow(ctx, text, arguments...).Scan(columns...)
				})
			}
			return conn.QueryRow(ctx, text, arguments...).Scan(columns...)
		})
	})
	if err != nil {
		return nil, err
	}
	return ownAccount(&u), nil
}

// ownAccount sets the relations that an account has to itself.
func ownAccount(u *model.User) *model.User {
	u.Relations = UserRelations(&model.Viewer{UserID: u.ID, Role: u.Role}, u, nil, nil, Grants{})
	return u
}

// HasAccounts reports whether there are any accounts.
func (s *Store) HasAccounts(ctx context.Context) (bool, error) {
	found, err := s.reads.db.NewSelect().Table("users").Exists(ctx)
	return found, s.translate(ctx, "look for accounts", err)
}

// Credential returns the credential of the account with the address in any of its
// forms, or NOT_FOUND. If another account has exactly this form, it is that one.
func (s *Store) Credential(ctx context.Context, email model.EmailAddress) (*Credential, error) {
	return s.credential(ctx, "email = $1 OR email_key = $2 ORDER BY email = $1 DESC LIMIT 1", []byte(email), []byte(email.Canonical()))
}

// CredentialOf returns the credential of the viewer.
func (s *Store) CredentialOf(ctx context.Context, v *model.Viewer) (*Credential, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return s.credential(ctx, "id = $1", strconv.AppendInt(nil, v.UserID, 10))
}

func (s *Store) credential(ctx context.Context, which string, values ...[]byte) (*Credential, error) {
	account := pgpipe.NewStatement("SELECT id, username, email, password_hash, is_active, is_confirmed, has_totp FROM users WHERE "+which, values...)
	if err := s.readReserved(func(p pool) error { return p.Run(ctx, account) }); err != nil {
		return nil, s.translate(ctx, "read credential", err)
	}
	rows := account.Rows
	defer rows.Release()
	if rows.Len() == 0 {
		return nil, notFound("email")
	}
	text := func(column int) string {
		value, _ := rows.Value(0, column)
		return string(value)
	}
	is := func(column int) bool {
		value, _ := rows.Value(0, column)
		return pgpipe.Bool(value)
	}
	return &Credential{
		UserID: rows.Int64(0, 0), Username: text(1), Email: model.EmailAddress(text(2)), PasswordHash: text(3),
		IsActive: is(4), IsConfirmed: is(5), HasTotp: is(6),
	}, nil
}

// SetPasswordHash replaces the password hash of an account if it is still from.
func (s *Store) SetPasswordHash(ctx context.Context, userID int64, from, to string) error {
	err := s.writeReserved(func(p pool) error {
		_, err := p.db.NewUpdate().Table("users").Set("password_hash = ?", to).
			Where("id = ? AND password_hash = ?", userID, from).Exec(ctx)
		return err
	})
	return s.translate(ctx, "set password", err)
}

// User returns the account with the id, or NOT_FOUND.
func (s *Store) User(ctx context.Context, v *model.Viewer, id int64) (*model.User, error) {
	node, err := s.Get(ctx, v, "User", id)
	if err != nil {
		return nil, err
	}
	return node.(*model.User), nil
}

// UpdateMe applies the changes to the viewer's account. It returns REQUIRED, INVALID,
// TOO_LONG, TAKEN and FORBIDDEN. TAKEN names one field only, and no other error comes
// with it: who looks for the values of others can ask once for each change.
func (s *Store) UpdateMe(ctx context.Context, v *model.Viewer, changes []model.Change[model.User]) (*model.User, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	var row *model.User
	u := update[model.User]{changes: changes, validate: func(u *model.User) error { return u.Validate(s.Constraints("User")) }}
	u.set = "created_at = created_at" // there is no updated_at, and SET must not be empty
	return once(ctx, s, v, func(ctx context.Context) (*model.User, error) {
		err := s.inRowTx(ctx, "update User", v, "User", v.UserID, func(ctx context.Context, tx bun.Tx) (err error) {
			if row, err = lock[model.User](ctx, s, tx, v, v.UserID, "id", forChange); err != nil {
				return err
			}
			if err := s.mayChange(row, u); err != nil {
				return err
			}
			return apply(ctx, s, tx, v, row, u)
		})
		if err != nil {
			return nil, err
		}
		return row, nil
	})
}
