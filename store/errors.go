package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// uniqueError returns the error of the caller that violates a unique index.
func uniqueError(index string) (model.FieldError, bool) {
	for _, t := range records(nil) {
		for _, u := range t.Unique {
			if u.Index == index {
				return model.FieldError{Field: u.Field, Code: u.Code, Message: u.Message}, true
			}
		}
	}
	return model.FieldError{}, false
}

const (
	uniqueViolation  = "23505"
	lockNotAvailable = "55P03"
)

// translate turns an error of the database into a code of the schema, and reports a
// failure to the options. It wraps every other error with the operation, and leaves out
// SQL texts and row values, which contain patient data.
func (s *Store) translate(ctx context.Context, operation string, err error) error {
	if err == nil {
		return nil
	}
	if apiErr, ok := errors.AsType[*model.Error](err); ok {
		return apiErr
	}
	if errors.Is(err, pgpipe.ErrQueueFull) {
		return model.RateLimited("Too many requests of this account or address wait for the database; --max-waiting is the limit. Send fewer at the same time.", 1)
	}
	pgErr, answered := errors.AsType[*pgconn.PgError](err)
	switch keeps := submissionOf(ctx).keeps(); {
	case keeps && answered && pgErr.Code == uniqueViolation && pgErr.ConstraintName == requestsIndex:
		return errRepeated
	case keeps && (answered && pgErr.Code == lockNotAvailable || errors.Is(err, errRowWaits) && ctx.Err() == nil):
		return inProgress()
	}
	if answered && pgErr.Code == uniqueViolation {
		if field, known := uniqueError(pgErr.ConstraintName); known {
			return model.NewFieldError(field.Field, field.Code, field.Message)
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) { // the client has gone, and the database did nothing wrong
		return fmt.Errorf("%s: %w", operation, context.Canceled)
	}
	if f, failed := failureOf(ctx, err); failed {
		f.Operation = operation
		s.onFailure(ctx, f)
		return unavailable()
	}
	if answered { // its Message and Detail can quote the row
		return fmt.Errorf("%s: SQLSTATE %s at constraint %q", operation, pgErr.Code, pgErr.ConstraintName)
	}
	return fmt.Errorf("%s: %w", operation, err)
}

// notFound is for a record that does not exist for the viewer, or at all.
func notFound(field string) error {
	return model.NewFieldError(field, model.CodeNotFound, "There is no such record.")
}

// deleted is for a change of a record that the viewer can restore.
func deleted(field string) error {
	return model.NewFieldError(field, model.CodeDeleted, "This record was deleted. Restore it first.")
}

// limitReached is for one more of what there are as many as there may be.
func limitReached(field string, most int) error {
	message := fmt.Sprintf("There are %d already. End one first.", most)
	return &model.Error{Code: model.CodeLimitReached, Message: message, Fields: []model.FieldError{{
		Field: field, Code: model.CodeLimitReached, Message: message, Params: []model.ErrorParam{model.IntParam("max", most)},
	}}}
}

func unavailable() error {
	return model.NewError(model.CodeUnavailable, "The server is busy or its database cannot be reached. Please try again.")
}

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// unauthenticated is for a write without a viewer.
func unauthenticated() error {
	return model.NewError(model.CodeUnauthenticated, "Sign in first.")
}

// renameField renames a field of an error to its name in the mutation.
func renameField(err error, from, to string) error {
	apiErr, ok := errors.AsType[*model.Error](err)
	if !ok {
		return err
	}
	for i := range apiErr.Fields {
		if apiErr.Fields[i].Field == from {
			apiErr.Fields[i].Field = to
		}
	}
	return apiErr
}

// joinErrors joins the fields of several errors for the caller. It returns the first
// other error alone.
func joinErrors(errs ...error) error {
	all := &model.Error{}
	for _, err := range errs {
		if err == nil {
			continue
		}
		apiErr, ok := errors.AsType[*model.Error](err)
		if !ok {
			return err
		}
		if all.Code == "" {
			all.Code, all.Message = apiErr.Code, apiErr.Message
		}
		all.Fields = append(all.Fields, apiErr.Fields...)
	}
	if all.Code == "" {
		return nil
	}
	return all
}
