package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// notify stores notices in the transaction of what they tell. A notice about a patient
// shows the patient only while the account sees it.
func (s *Store) notify(ctx context.Context, db bun.IDB, notices ...model.Notice) error {
	_, err := db.NewInsert().Model(&notices).Returning("NULL").Exec(ctx)
	return err
}

// insertNotice begins a statement that stores a notice together with what it tells.
const insertNotice = `INSERT INTO notices (kind, account_id, by_id)`

// whereUnread reads the argument unread. Null means all notices.
func whereUnread(args query.Args) []query.Condition {
	unread := query.Arg[bool](args, "unread")
	if unread == nil {
		return nil
	}
	return []query.Condition{query.Where("(notice.read_at IS NULL) = ?", *unread)}
}

// ReadNotices marks the viewer's notices up to one of them as read and returns the
// viewer's account. It returns NOT_FOUND for a notice of another account.
func (s *Store) ReadNotices(ctx context.Context, v *model.Viewer, upTo int64) (*model.User, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.User, error) { return s.readNotices(ctx, v, upTo) })
}

func (s *Store) readNotices(ctx context.Context, v *model.Viewer, upTo int64) (*model.User, error) {
	err := s.inTx(ctx, "read notices", func(ctx context.Context, tx bun.Tx) error {
		last := new(model.Notice)
		err := s.selectRow(tx, last, v, model.DeletedExclude).Where("?TableAlias.id = ?", upTo).Scan(ctx)
		if isNoRows(err) {
			return notFound("upTo")
		}
		if err != nil {
			return err
		}
		_, err = tx.NewUpdate().Table("notices").Set("read_at = now()").
			Where("account_id = ? AND (at, id) <= (?, ?) AND read_at IS NULL", v.UserID, last.At, last.ID).Exec(ctx)
		if err != nil {
			return err
		}
		return s.keepIn(ctx, tx, &model.User{ID: v.UserID})
	})
	if err != nil {
		return nil, err
	}
	return s.User(ctx, v, v.UserID)
}
