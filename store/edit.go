package store

import (
	"bytes"
	"context"
	"reflect"
	"slices"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// rowOf is a pointer to a record.
type rowOf[T any] interface {
	*T
	model.Node
}

// owned is a pointer to a record with a lifecycle.
type owned[T any] interface {
	rowOf[T]
	Life() *model.Lifecycle
}

// update is one change of one record.
type update[T any] struct {
	changes []model.Change[T]
	// check returns an error for a record in the wrong state; done means that there is
	// nothing to change.
	check func(*T) (done bool, err error)
	// validate checks the changed record; may be nil.
	validate func(*T) error
	// first takes the locks that come before that of the row; may be nil.
	first func(ctx context.Context, tx bun.Tx) error
	// lost returns the accounts that lose access by the change, in addition to those of
	// standing; may be nil.
	lost func(ctx context.Context, tx bun.Tx, before *T) ([]int64, error)
	// alter makes changes that follow from others and returns their fields; may be nil.
	alter func(before, after *T) (fields []string)
	// after runs in the same transaction after the write; may be nil.
	after func(ctx context.Context, tx bun.Tx, before, after *T) error
	// set is an SQL assignment that every update makes.
	set string
}

const setUpdatedAt = "updated_at = now()"

// edit loads and locks the row under the rule, checks what the viewer may set,
// applies the changes, validates, and writes the changed columns. It returns the
// record as the viewer sees it afterwards. With VERSION_CONFLICT and DELETED it returns
// the current one, and with TAKEN the one that has the value, if the viewer sees it.
func edit[T any, P rowOf[T]](ctx context.Context, s *Store, v *model.Viewer, id int64, u update[T]) (P, error) {
	var row P
	err := s.inRowTx(ctx, "update "+row.TypeName(), v, row.TypeName(), id, func(ctx context.Context, tx bun.Tx) (err error) {
		if u.first != nil {
			if err := u.first(ctx, tx); err != nil {
				return err
			}
		}
		if row, err = lock[T, P](ctx, s, tx, v, id, "id", forChange); err != nil {
			return err
		}
		if err := s.mayChange(row, u); err != nil {
			return err
		}
		if done, err := u.check(row); done || err != nil {
			return err
		}
		if err := apply(ctx, s, tx, v, row, u); err != nil {
			return err
		}
		row, err = reload[T, P](ctx, s, tx, v, id)
		return err
	})
	switch model.CodeOf(err) {
	case "", model.CodeVersionConflict, model.CodeDeleted:
		return row, err
	default:
		return holder[T, P](ctx, s, v, row, err)
	}
}

// editLive is edit for a live record in the expected version; nil is any. It is done once
// for a request with a key.
func editLive[T any, P owned[T]](ctx context.Context, s *Store, v *model.Viewer, id int64, expected *int, u update[T]) (P, error) {
	submissionOf(ctx).asks = expected != nil && *expected < 0
	return once(ctx, s, v, func(ctx context.Context) (P, error) { return editVersion[T, P](ctx, s, v, id, expected, u) })
}

func editVersion[T any, P owned[T]](ctx context.Context, s *Store, v *model.Viewer, id int64, expected *int, u update[T]) (P, error) {
	u.set = setVersion
	u.check = func(row *T) (done bool, err error) {
		life := P(row).Life()
		if life.DeletedAt != nil {
			return false, deleted("id")
		}
		return false, checkVersion(expected, life.Version)
	}
	return edit[T, P](ctx, s, v, id, u)
}

// checkVersion returns VERSION_CONFLICT for another version than the expected one; nil is
// any.
func checkVersion(expected *int, version int) error {
	if expected == nil || *expected == version {
		return nil
	}
	return model.NewFieldError("expectedVersion", model.CodeVersionConflict, "Someone else has changed this record. Load it again, then repeat your change.")
}

// restore restores a record, if it was deleted.
func restore[T any, P owned[T]](ctx context.Context, s *Store, v *model.Viewer, id int64, u update[T]) (P, error) {
	u.set, u.changes = setVersion, deletedAt[T, P](nil)
	u.check = func(row *T) (done bool, err error) { return P(row).Life().DeletedAt == nil, nil }
	return once(ctx, s, v, func(ctx context.Context) (P, error) { return edit[T, P](ctx, s, v, id, u) })
}

const setVersion = setUpdatedAt + `, version = ?TableAlias.version + 1`

// deletedAt changes the one field that says who may delete a record and restore it.
func deletedAt[T any, P owned[T]](at *model.DateTime) []model.Change[T] {
	return []model.Change[T]{{Field: "deletedAt", Apply: func(row *T) { P(row).Life().DeletedAt = at }}}
}

// forChange is the lock of a row that changes. No key changes, so new records that
// refer to the row need not wait.
const forChange = "NO KEY UPDATE"

// lock reads a row and locks it until the transaction ends. A deleted row exists only
// for a viewer who may restore it.
func lock[T any, P rowOf[T]](ctx context.Context, s *Store, tx bun.Tx, v *model.Viewer, id int64, field, strength string) (P, error) {
	row := P(new(T))
	q := s.selectRow(tx, row, v, model.DeletedInclude)
	err := q.Where("?TableAlias.id = ?", id).For("? OF ?TableAlias", bun.Safe(strength)).Scan(ctx)
	if isNoRows(err) {
		return nil, notFound(field)
	}
	return row, err
}

// reload reads a row for the answer. It returns NOT_FOUND, which rolls back, if the
// viewer's access to the row has ended.
func reload[T any, P rowOf[T]](ctx context.Context, s *Store, tx bun.Tx, v *model.Viewer, id int64) (P, error) {
	row := P(new(T))
	err := s.selectRow(tx, row, v, query.IncludeDeleted).Where("?TableAlias.id = ?", id).Scan(ctx)
	if isNoRows(err) {
		return nil, notFound("id")
	}
	return row, err
}

// mayChange returns FORBIDDEN for an update of a field that the viewer may not set,
// and for any update by a viewer who may set no field.
func (s *Store) mayChange(row model.Node, u interface{ fields() []string }) error {
	t, rule, r := s.records.Type(row.TypeName()), s.policy.Types[row.TypeName()], row.ViewerRelations()
	var fieldErrs []model.FieldError
	for _, field := range u.fields() {
		if !rule.Fields[field].CanWrite(r) {
			fieldErrs = append(fieldErrs, forbiddenField(t, field))
		}
	}
	if len(u.fields()) == 0 && len(rule.Writable(r)) == 0 {
		fieldErrs = append(fieldErrs, forbiddenField(t, "id"))
	}
	if len(fieldErrs) == 0 {
		return nil
	}
	return &model.Error{Code: model.CodeForbidden, Message: "You may not change this.", Fields: fieldErrs}
}

func forbiddenField(t *query.RecordType, field string) model.FieldError {
	if field == t.EndedBy {
		field = "id" // no input has the field, so the error is about the whole call
	}
	return model.FieldError{Field: field, Code: model.CodeForbidden, Message: "You may not change this."}
}

func (u update[T]) fields() []string {
	names := make([]string, len(u.changes))
	for i, c := range u.changes {
		names[i] = c.Field
	}
	return names
}

// apply changes and validates the record, and writes the named columns and u.set. If no
// column has another value, it writes nothing, unless the request touches its records.
func apply[T any, P rowOf[T]](ctx context.Context, s *Store, tx bun.Tx, v *model.Viewer, row P, u update[T]) error {
	before, fields := *row, u.fields()
	if err := change(row, u); err != nil {
		return err
	}
	if u.alter != nil {
		fields = append(fields, u.alter(&before, row)...)
	}
	columns, t := s.columns(row, fields), s.records.Type(row.TypeName())
	if !s.differ(&before, row, columns) && !submissionOf(ctx).Touches {
		return nil
	}
	if err := s.mayWrite(v, s.bytesOf(row, columns...)); err != nil {
		return err
	}
	lost := standing(P(&before), row)
	if u.lost != nil {
		more, err := u.lost(ctx, tx, &before)
		if err != nil {
			return err
		}
		lost = append(lost, more...)
	}
	q := tx.NewUpdate().Model(row).WherePK().Column(columns...).Set(u.set).Returning(changedColumns(row.TypeName()))
	for _, k := range t.KeysFrom(columns) {
		q = q.Set("? = ?", bun.Ident(k.Column), t.KeyOf(k, row))
	}
	if _, err := s.changing(ctx, tx, row, q, lost).Exec(ctx); err != nil {
		return err
	}
	if u.after == nil {
		return nil
	}
	return u.after(ctx, tx, &before, row)
}

// differ reports whether two versions of a record have different values in a column.
func (s *Store) differ(one, other any, columns []string) bool {
	a, b := reflect.ValueOf(one).Elem(), reflect.ValueOf(other).Elem()
	fields := s.db.Table(a.Type()).FieldMap
	return slices.ContainsFunc(columns, func(column string) bool {
		field := fields[column]
		return !bytes.Equal(field.AppendValue(s.db.QueryGen(), nil, a), field.AppendValue(s.db.QueryGen(), nil, b))
	})
}

// change applies the changes in memory and returns all errors together.
func change[T any, P rowOf[T]](row P, u update[T]) error {
	var errs []error
	for _, c := range u.changes {
		if c.Apply == nil {
			errs = append(errs, model.NewFieldError(c.Field, model.CodeRequired, "This field may not be null."))
			continue
		}
		c.Apply(row)
	}
	if u.validate != nil {
		errs = append(errs, u.validate(row))
	}
	return joinErrors(errs...)
}

// columns returns the columns of fields, each once.
func (s *Store) columns(row model.Record, fields []string) []string {
	t := s.records.Type(row.TypeName())
	names := make([]string, len(fields))
	for i, field := range fields {
		names[i] = t.ColumnOf(field)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
