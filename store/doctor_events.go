package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// recordDoctor records what a change of a doctor entry means to its accounts. An account
// that loses its verified entry by another one gets a notice.
func (s *Store) recordDoctor(ctx context.Context, tx bun.Tx, v *model.Viewer, before, after *model.Doctor) error {
	var events []model.SecurityEvent
	add := func(holds bool, kind model.SecurityEventKind, account *int64) {
		if holds {
			events = append(events, model.SecurityEvent{Kind: kind, AccountID: account, ByID: actor(v), Subject: new(after.NodeID().String())})
		}
	}
	from, to := before.AccountID, after.AccountID
	linked := to != nil && (from == nil || *from != *to)
	unlinked := from != nil && (to == nil || *from != *to)
	add(unlinked, model.EventDoctorUnlinked, from)
	add(linked, model.EventDoctorLinked, to)
	add(before.IsVerified && !after.IsVerified, model.EventDoctorUnverified, from)
	add(after.IsVerified && (linked || !before.IsVerified), model.EventDoctorVerified, to)
	if len(events) == 0 {
		return nil
	}
	if err := s.record(ctx, tx, events...); err != nil {
		return err
	}
	if lost := before.IsVerified && (unlinked || !after.IsVerified); !lost || from == nil || *from == v.UserID {
		return nil
	}
	return s.notify(ctx, tx, model.Notice{AccountID: *from, Kind: model.NoticeDoctorUnverified, ByID: actor(v)})
}

// reservedAndRecorded returns what follows from the change of an entry by a viewer.
func (s *Store) reservedAndRecorded(v *model.Viewer) func(ctx context.Context, tx bun.Tx, before, after *model.Doctor) error {
	return func(ctx context.Context, tx bun.Tx, before, after *model.Doctor) error {
		if err := checkReserved(ctx, tx, v, after); err != nil {
			return err
		}
		return s.recordDoctor(ctx, tx, v, before, after)
	}
}

// endMappingsOf ends the active mappings of a doctor entry. The owners of the patients get
// a notice. before is the entry before the change that ends them.
func (s *Store) endMappingsOf(ctx context.Context, tx bun.Tx, v *model.Viewer, before *model.Doctor) error {
	var lost []int64
	if before.IsVerified && before.DeletedAt == nil && before.AccountID != nil {
		lost = []int64{*before.AccountID}
	}
	patients, err := s.endMappings(ctx, tx, "doctor_id", before.ID, s.now(), lost)
	if err != nil || len(patients) == 0 {
		return err
	}
	var notices []model.Notice
	err = tx.NewSelect().Table("patients").ColumnExpr("created_by AS account_id, id AS patient_id").
		Where("id = ANY(?::bigint[])", array(patients)).Scan(ctx, &notices)
	if err != nil {
		return err
	}
	for i := range notices {
		notices[i].Kind, notices[i].ByID = model.NoticeMappingsEnded, actor(v)
	}
	return s.notify(ctx, tx, notices...)
}
