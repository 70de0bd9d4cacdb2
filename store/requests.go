package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// This file makes a change happen once for each Idempotency-Key of an account: the key is
// stored together with the change, and its unique index makes a second request wait for
// the first one.

const (
	// requestPurpose is that of the hashes of requests.
	requestPurpose = "caregraph request v1"
	// requestLockTimeout is how long a request waits for another one with its key, or for
	// any other row.
	requestLockTimeout    = 2 * time.Second
	setRequestLockTimeout = "set_config('lock_timeout', '2s', true)"
	requestsIndex         = "requests_pkey"
)

// errRepeated is for a key that another request has stored.
var errRepeated = errors.New("the Idempotency-Key was used before")

// request is a stored request. Result is the id of the record in its answer, nil for none.
// Refusal is nil for a success.
type request struct {
	Hash    []byte
	Result  *int64
	Refusal *refusal
}

// refusal is a *model.Error without its texts.
type refusal struct {
	Code   model.Code
	Fields []model.FieldError
}

// once runs a change of the viewer once for each key, and repeats its answer: it reads the
// record as it is now, with the rights that the viewer has now. It returns
// IDEMPOTENCY_KEY_REUSED for another request with the key, and REQUEST_IN_PROGRESS while
// the first one runs.
func once[T any, P rowOf[T]](ctx context.Context, s *Store, v *model.Viewer, change func(context.Context) (P, error)) (P, error) {
	sub := SubmissionOf(ctx)
	if sub == nil || sub.Key == "" || v == nil {
		return change(ctx)
	}
	if err := s.beginRequest(sub, v); err != nil {
		return nil, err
	}
	defer func() { sub.hash = nil }()
	row, err := change(ctx)
	first, failed := s.settle(ctx, sub, row.TypeName(), idOf(row), err)
	switch {
	case failed != nil:
		return nil, failed
	case first == nil:
		return row, err
	}
	sub.Replayed = true
	return repeat[T, P](ctx, s, v, first)
}

// idOf returns the id of a record, nil for none.
func idOf[T any, P rowOf[T]](row P) *int64 {
	if row == nil {
		return nil
	}
	return new(row.NodeID().Num)
}

// beginRequest prepares the row of the request.
func (s *Store) beginRequest(sub *Submission, v *model.Viewer) (err error) {
	sub.account, sub.kept = v.UserID, false
	if sub.hash, err = s.secrets.hash(requestPurpose, string(sub.Content)); err != nil {
		return fmt.Errorf("hash a request: %w", err)
	}
	return nil
}

// settle stores the outcome of a request, unless its transaction has done so. If another
// request with the key came first, it returns that one.
func (s *Store) settle(ctx context.Context, sub *Submission, typ string, id *int64, outcome error) (first *request, err error) {
	switch {
	case outcome == nil && sub.kept:
		return nil, nil //nolint:nilnil // this one came first
	case (outcome == nil || isFinal(outcome)) && !sub.asks:
		kept, err := s.keep(ctx, sub, typ, id, outcome)
		if err != nil || kept {
			return nil, err
		}
	case outcome != nil && !isFinal(outcome) && !errors.Is(outcome, errRepeated) && model.CodeOf(outcome) != model.CodeInProgress:
		return nil, nil //nolint:nilnil // nothing is known
	}
	first, err = s.firstRequest(ctx, sub)
	if err == nil && first == nil && errors.Is(outcome, errRepeated) {
		err = unavailable() // the first one has just been swept
	}
	return first, err
}

// isFinal reports whether the same request would be refused again.
func isFinal(err error) bool {
	apiErr, ok := errors.AsType[*model.Error](err)
	if !ok || apiErr.RetryAfter > 0 {
		return false
	}
	switch apiErr.Code {
	case model.CodeUnavailable, model.CodeInternal, model.CodeUnauthenticated, model.CodeLimitExceeded:
		return false
	default:
		return true
	}
}

// repeat answers a request like the first one with its key.
func repeat[T any, P rowOf[T]](ctx context.Context, s *Store, v *model.Viewer, first *request) (row P, err error) {
	if first.Result != nil {
		row = P(new(T))
		err := s.selectRow(s.db, row, v, model.DeletedInclude).Where("?TableAlias.id = ?", *first.Result).Scan(ctx)
		switch {
		case isNoRows(err):
			row = nil
		case err != nil:
			return nil, s.translate(ctx, "repeat an answer", err)
		}
	}
	switch {
	case first.Refusal != nil:
		return row, first.Refusal.error()
	case row == nil:
		return nil, model.NewError(model.CodeNotFound, "The change was made before. You do not see the record any more.")
	default:
		return row, nil
	}
}

// error returns the refusal with other words than those of the first answer.
func (r *refusal) error() error {
	const message = "The first request with this Idempotency-Key was refused for this reason."
	refused := &model.Error{Code: r.Code, Message: message, Fields: r.Fields}
	for i := range refused.Fields {
		refused.Fields[i].Message = message
	}
	return refused
}

// keep stores the outcome of a request that has changed nothing. It reports false if there
// is a row of another one. It returns the errors of mayWrite.
func (s *Store) keep(ctx context.Context, sub *Submission, typ string, id *int64, outcome error) (kept bool, err error) {
	if err := s.mayWrite(&model.Viewer{UserID: sub.account}, int64(len(sub.Key))); err != nil {
		return false, err
	}
	var refused *string
	if apiErr, ok := errors.AsType[*model.Error](outcome); ok {
		text, err := json.Marshal(withoutTexts(apiErr))
		if err != nil {
			return false, fmt.Errorf("keep a request: %w", err)
		}
		refused = new(string(text))
	}
	err = s.inTx(ctx, "keep a request", func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewRaw(`INSERT INTO requests (account, key, hash, kind, result, refusal) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			sub.account, sub.Key, sub.hash, letterOf(typ), id, refused).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		kept = n > 0
		return err
	})
	return kept, err
}

func withoutTexts(err *model.Error) refusal {
	r := refusal{Code: err.Code}
	for _, f := range err.Fields {
		f.Message = ""
		r.Fields = append(r.Fields, f)
	}
	return r
}

// keepIn stores the key of a request in the transaction of a change that has several
// statements.
func (s *Store) keepIn(ctx context.Context, tx bun.Tx, record model.Node) error {
	sub := submissionOf(ctx)
	if !sub.keeps() {
		return nil
	}
	_, err := tx.NewRaw("INSERT INTO requests (account, key, hash, kind, result) VALUES (?, ?, ?, ?, ?)",
		sub.account, sub.Key, sub.hash, letterOf(record.TypeName()), record.NodeID().Num).Exec(ctx)
	sub.kept = err == nil
	return err
}

// letterOf is the letter of a record type in the rows about requests and changes.
func letterOf(typ string) string { return typ[:1] }

// firstRequest returns the stored request with the key, or nil.
func (s *Store) firstRequest(ctx context.Context, sub *Submission) (*request, error) {
	var first request
	var refused []byte
	err := s.db.NewRaw("SELECT hash, result, refusal FROM requests WHERE account = ? AND key = ?", sub.account, sub.Key).
		Scan(ctx, &first.Hash, &first.Result, &refused)
	switch {
	case isNoRows(err):
		return nil, nil //nolint:nilnil // there is none
	case err != nil:
		return nil, s.translate(ctx, "find a request", err)
	case !s.secrets.matches(requestPurpose, string(sub.Content), first.Hash):
		return nil, model.NewError(model.CodeKeyReused, "Another request had this Idempotency-Key. Take a new key for each request.")
	case refused != nil:
		first.Refusal = new(refusal)
		if err := json.Unmarshal(refused, first.Refusal); err != nil {
			return nil, fmt.Errorf("read a refusal: %w", err)
		}
	}
	return &first, nil
}

// inProgress is for a request that waits in vain for another one.
func inProgress() error {
	return &model.Error{
		Code: model.CodeInProgress, RetryAfter: 1,
		Message: "The first request with this Idempotency-Key still runs, or another request changes the record. Send the same request again.",
	}
}
