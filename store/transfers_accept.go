package store

import (
	"cmp"
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/model"
)

// AcceptTransfer is the consent of the receiver, who owns the patients from then on, or the
// approval of a second administrator, who is neither who offers nor who receives them. It
// returns NOT_FOUND, FORBIDDEN, and TAKEN for each patient whose e-mail address or record
// number a patient of the receiver has; its field is "id." and the patient's id.
func (s *Store) AcceptTransfer(ctx context.Context, v *model.Viewer, id int64) (*model.Transfer, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Transfer, error) { return s.acceptTransfer(ctx, v, id) })
}

func (s *Store) acceptTransfer(ctx context.Context, v *model.Viewer, id int64) (*model.Transfer, error) {
	var t *model.Transfer
	err := s.inRowTx(ctx, "accept a transfer", v, "Transfer", id, func(ctx context.Context, tx bun.Tx) (err error) {
		if err := s.lockAccount(ctx, tx, v, (*model.Transfer)(nil), "from_id", id); err != nil {
			return err
		}
		if t, err = lock[model.Transfer](ctx, s, tx, v, id, "id", forChange); err != nil {
			return err
		}
		if err := s.isWaiting(ctx, tx, t); err != nil {
			return err
		}
		switch isAdmin := t.Relations.Any(model.Admin); {
		case v.UserID == t.ToID && (!t.NeedsApproval || t.ApprovedAt != nil):
			return s.carryOut(ctx, tx, v, t)
		case v.UserID == t.ToID:
			return mayNotAccept("A second administrator must approve it first.")
		case isAdmin && t.NeedsApproval && t.ApprovedAt == nil && v.UserID != *t.OfferedBy:
			return s.approve(ctx, tx, v, t)
		default:
			return mayNotAccept("Only the receiver can accept it, and a second administrator approves one of an administrator.")
		}
	})
	return s.transferred(ctx, t, err)
}

// TransferPatients gives all patients of an account to another account at once. Only an
// operator may call it. It returns NOT_FOUND, FORBIDDEN, INVALID, the errors of
// model.ValidateReason, and TAKEN as AcceptTransfer does.
func (s *Store) TransferPatients(ctx context.Context, v *model.Viewer, o Offer) (*model.Transfer, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	var t *model.Transfer
	err := s.inRowTx(ctx, "transfer patients", v, "User", o.From, func(ctx context.Context, tx bun.Tx) (err error) {
		if t, err = s.newTransfer(ctx, tx, v, o); err != nil {
			return err
		}
		if !v.IsOperator() {
			return model.NewFieldError("fromId", model.CodeForbidden, "Only an operator can do this without the receiver.")
		}
		if _, err := s.storeTransfer(ctx, tx, t, o); err != nil {
			return err
		}
		return s.carryOut(ctx, tx, v, t)
	})
	return s.transferred(ctx, t, err)
}

// transferred returns a transfer whose transaction has ended.
func (s *Store) transferred(ctx context.Context, t *model.Transfer, err error) (*model.Transfer, error) {
	if model.CodeOf(err) == model.CodeTaken {
		return nil, cmp.Or(s.takenPatients(ctx, t), err)
	}
	if err != nil {
		return nil, err
	}
	s.counts.drop(t.FromID, t.ToID)
	if t.AcceptedAt != nil {
		s.forgetViewers(ctx, t.FromID, t.ToID)
	}
	return t, nil
}

// isWaiting returns FORBIDDEN for a transfer that cannot be accepted any more. A disabled
// owner may have lost the account to a thief, and one who is enabled again decides alone.
func (s *Store) isWaiting(ctx context.Context, tx bun.Tx, t *model.Transfer) error {
	var isActive bool
	if err := tx.NewSelect().Table("users").Column("is_active").Where("id = ?", t.FromID).For("SHARE").Scan(ctx, &isActive); err != nil {
		return err
	}
	switch {
	case t.AcceptedAt != nil:
		return mayNotAccept("The patients have been transferred already.")
	case !t.ExpiresAt.After(s.now()):
		return mayNotAccept("The offer has expired.")
	case isActive == t.NeedsApproval:
		return mayNotAccept("The owner was disabled or enabled after the offer. Offer the patients again.")
	default:
		return nil
	}
}

func mayNotAccept(message string) error {
	return model.NewFieldError("id", model.CodeForbidden, message)
}

func (s *Store) approve(ctx context.Context, tx bun.Tx, v *model.Viewer, t *model.Transfer) error {
	t.ApprovedBy, t.ApprovedAt = &v.UserID, &model.DateTime{Time: s.now()}
	if _, err := tx.NewUpdate().Model(t).WherePK().Column("approved_by", "approved_at").Exec(ctx); err != nil {
		return err
	}
	if err := s.recordTransfer(ctx, tx, v, t, model.EventTransferApproved); err != nil {
		return err
	}
	return s.notify(ctx, tx, model.Notice{AccountID: t.ToID, Kind: model.NoticeTransferOffered, ByID: t.OfferedBy})
}

// carryOut makes the receiver the owner of the patients. Their mappings stay.
func (s *Store) carryOut(ctx context.Context, tx bun.Tx, v *model.Viewer, t *model.Transfer) error {
	var named []int64
	if err := tx.NewSelect().Table("transfers").Column("patient_ids").Where("id = ?", t.ID).Scan(ctx, pgdialect.Array(&named)); err != nil {
		return err
	}
	lost, err := accountsOf(ctx, team(tx, t.FromID))
	if err != nil {
		return err
	}
	n, err := movePatients(ctx, tx, t, named, append(lost, t.FromID))
	if err != nil {
		return err
	}
	t.PatientCount, t.AcceptedAt = n, &model.DateTime{Time: s.now()}
	if _, err := tx.NewUpdate().Model(t).WherePK().Column("patient_count", "accepted_at").Exec(ctx); err != nil {
		return err
	}
	return s.recordTransfer(ctx, tx, v, t, model.EventTransferred)
}

// movePatients changes the owner of the named patients, nil for all, in batches. It returns
// how many there were. lost are the accounts that saw them by their former owner.
func movePatients(ctx context.Context, tx bun.Tx, t *model.Transfer, named, lost []int64) (n int, err error) {
	var last struct {
		CreatedAt time.Time
		ID        int64
	}
	for {
		var batch []struct {
			CreatedAt time.Time
			ID        int64
		}
		q := tx.NewSelect().Table("patients").Column("created_at", "id").Where("created_by = ?", t.FromID).
			Where("(created_at, id) > (?, ?)", last.CreatedAt, last.ID).Order("created_at", "id").Limit(transferBatch).For("NO KEY UPDATE")
		if named != nil {
			q = q.Where("id = ANY(?)", array(named))
		}
		if err := q.Scan(ctx, &batch); err != nil || len(batch) == 0 {
			return n, err
		}
		ids := make([]int64, len(batch))
		for i, p := range batch {
			ids[i] = p.ID
		}
		moved := tx.NewUpdate().Table("patients").Set("created_by = ?, updated_at = now(), version = version + 1", t.ToID).
			Where("id = ANY(?)", array(ids)).Returning(changedColumns("Patient"))
		_, err := tx.NewRaw("WITH changed AS (?)"+fed("Patient", "?::bigint[]")+" SELECT count(*) FROM changed", moved, array(lost)).Exec(ctx)
		if err != nil {
			return n, err
		}
		if err := moveGrants(ctx, tx, t, ids); err != nil {
			return n, err
		}
		n, last = n+len(batch), batch[len(batch)-1]
	}
}

// moveGrants makes the receiver the one who gave the patients' own access. Claim codes end,
// since the former owner knows them, and so does a grant of the receiver, who owns the
// record now. The access of the former owner's team has ended with the ownership.
func moveGrants(ctx context.Context, tx bun.Tx, t *model.Transfer, patients []int64) error {
	_, err := tx.NewUpdate().Table("grants").Set("ended_at = now()").
		Where("patient_id = ANY(?) AND ended_at IS NULL AND (account_id IS NULL OR account_id = ?)", array(patients), t.ToID).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Table("grants").Set("granter_id = ?", t.ToID).
		Where("patient_id = ANY(?) AND ended_at IS NULL", array(patients)).Exec(ctx)
	return err
}

// takenPatients returns TAKEN for the patients of a transfer that the receiver's patients
// keep from it, or nil.
func (s *Store) takenPatients(ctx context.Context, t *model.Transfer) error {
	const most = 20
	var ids []int64
	err := s.db.NewRaw(`SELECT patient.id FROM patients AS patient WHERE patient.created_by = ?0 AND patient.deleted_at IS NULL
		AND NOT EXISTS (SELECT FROM transfers AS t WHERE t.id = ?2 AND patient.id <> ALL (t.patient_ids))
		AND EXISTS (SELECT FROM patients AS own WHERE own.created_by = ?1 AND own.deleted_at IS NULL AND (own.email = patient.email
			OR own.email_key = patient.email_key OR lower(own.record_number) = lower(patient.record_number)))
		ORDER BY patient.id LIMIT ?3`, t.FromID, t.ToID, t.ID, most).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return s.translate(ctx, "look for taken values", err)
	}
	const message = "A patient of the receiver has the e-mail address or the record number of this one."
	taken := &model.Error{Code: model.CodeTaken, Message: "Patients of the receiver have the e-mail addresses or the record numbers of these."}
	for _, id := range ids {
		taken.Fields = append(taken.Fields, model.FieldError{
			Field: "id." + model.ID{Kind: model.KindPatient, Num: id}.String(), Code: model.CodeTaken, Message: message,
		})
	}
	return taken
}
