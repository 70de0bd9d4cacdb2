package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// insertEvent begins a statement that records a security event together with what it is
// about.
const insertEvent = `INSERT INTO security_events (kind, account_id, by_id, client, address)`

// record stores security events in the transaction of what they record. It adds where the
// request comes from.
func (s *Store) record(ctx context.Context, db bun.IDB, events ...model.SecurityEvent) error {
	client, address := s.origin(ctx)
	for i := range events {
		if events[i].Client == nil {
			events[i].Client = client
		}
		if events[i].Address == nil {
			events[i].Address = address
		}
	}
	_, err := db.NewInsert().Model(&events).Returning("NULL").Exec(ctx)
	return err
}

// recordList records that an administrator has read a list, if the list has an event. Its
// caller answers when the event is durable.
func (s *Store) recordList(ctx context.Context, v *model.Viewer, event model.SecurityEventKind) error {
	if event == "" || v == nil || v.Role != model.RoleAdmin || v.IsOperator() {
		return nil
	}
	return s.inTx(ctx, "record a list", func(ctx context.Context, tx bun.Tx) error {
		return s.record(ctx, tx, model.SecurityEvent{Kind: event, AccountID: &v.UserID, ByID: &v.UserID})
	})
}

// actor returns the account of a viewer, nil for one without an account.
func actor(v *model.Viewer) *int64 {
	if v == nil || v.UserID == 0 {
		return nil
	}
	return &v.UserID
}

// origin returns the client and the address of an event.
func (s *Store) origin(ctx context.Context) (client, address *string) {
	if s.client != "" {
		client = &s.client
	}
	if s.clientAddr == nil {
		return client, nil
	}
	if from := s.clientAddr(ctx); from != "" {
		address = &from
	}
	return client, address
}
