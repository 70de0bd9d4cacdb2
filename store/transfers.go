package store

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

const (
	// transferTTL is how long an offer waits.
	transferTTL = 30 * 24 * time.Hour
	// maxWaitingTransfers is how many offers of one account wait, so that no one can fill
	// the lists of others.
	maxWaitingTransfers = 20
	// maxTransferIDs is how many patients an offer can name.
	maxTransferIDs = 1_000
	// transferBatch is how many patients a statement moves.
	transferBatch = 1_000
)

// Offer says which patients go from one account to another. Nil Patients are all.
type Offer struct {
	From, To int64
	Patients []int64
	Reason   string
}

// offeredTransfer is a transfer with the patients that it names.
type offeredTransfer struct {
	bun.BaseModel `bun:"table:transfers"`
	*model.Transfer

	PatientIDs []int64 `bun:"patient_ids,array"`
}

// OfferTransfer offers patients of the viewer or, for an administrator, of a disabled
// account. An offer of the pair that still waits ends. It returns NOT_FOUND (an account, a
// patient of another owner), FORBIDDEN, NOT_CONFIRMED (the receiver), LIMIT_REACHED, INVALID, and the
// errors of model.ValidateReason.
func (s *Store) OfferTransfer(ctx context.Context, v *model.Viewer, o Offer) (*model.Transfer, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Transfer, error) { return s.offerTransfer(ctx, v, o) })
}

func (s *Store) offerTransfer(ctx context.Context, v *model.Viewer, o Offer) (*model.Transfer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	var t *model.Transfer
	err := s.inRowTx(ctx, "offer a transfer", v, "User", o.From, func(ctx context.Context, tx bun.Tx) (err error) {
		if t, err = s.newTransfer(ctx, tx, v, o); err != nil {
			return err
		}
		replaced, err := s.storeTransfer(ctx, tx, t, o)
		if err != nil {
			return err
		}
		if err := s.recordTransfer(ctx, tx, v, t, model.EventTransferOffered); err != nil {
			return err
		}
		if t.NeedsApproval || replaced {
			return nil
		}
		return s.notify(ctx, tx, model.Notice{AccountID: t.ToID, Kind: model.NoticeTransferOffered, ByID: t.OfferedBy})
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (o *Offer) check() error {
	var errs []error
	if o.From == o.To && o.From > 0 {
		errs = append(errs, model.NewFieldError("toId", model.CodeInvalid, "The patients are there already."))
	}
	switch {
	case o.Patients != nil && len(o.Patients) == 0:
		errs = append(errs, model.NewFieldError("patientIds", model.CodeRequired, "Name a patient, or leave the list out for all."))
	case len(o.Patients) > maxTransferIDs:
		errs = append(errs, model.NewFieldError("patientIds", model.CodeInvalid, "Name at most 1000 patients, or leave the list out for all."))
	}
	slices.Sort(o.Patients)
	o.Patients = slices.Compact(o.Patients)
	return joinErrors(append(errs, model.ValidateReason("reason", &o.Reason, true))...)
}

// newTransfer checks who offers what to which account.
func (s *Store) newTransfer(ctx context.Context, tx bun.Tx, v *model.Viewer, o Offer) (*model.Transfer, error) {
	if o.To < o.From { // accounts are locked by their ids
		if err := s.checkReceiver(ctx, tx, v, o.To); err != nil {
			return nil, err
		}
	}
	from, err := lock[model.User](ctx, s, tx, v, o.From, "fromId", forChange)
	if err != nil {
		return nil, err
	}
	forAnother := v.UserID != o.From
	if forAnother && (!from.Relations.Any(model.Admin) || from.IsActive && !v.IsOperator()) {
		return nil, model.NewFieldError("fromId", model.CodeForbidden, "Only the owner can offer these patients, or an administrator if the owner is disabled.")
	}
	if err := s.checkReceiver(ctx, tx, v, o.To); err != nil {
		return nil, err
	}
	t := &model.Transfer{
		FromID: o.From, ToID: o.To, Sender: from.Username, Reason: o.Reason, OfferedBy: actor(v),
		ExpiresAt: model.DateTime{Time: s.now().Add(transferTTL)}, NeedsApproval: forAnother && !v.IsOperator(),
	}
	patients := tx.NewSelect().Table("patients").Where("created_by = ?", o.From)
	if o.Patients != nil {
		patients = patients.Where("id = ANY(?)", array(o.Patients))
	}
	n, err := patients.Count(ctx)
	if err == nil && (n == 0 || o.Patients != nil && int(n) < len(o.Patients)) {
		err = model.NewFieldError("patientIds", model.CodeNotFound, "The account owns no such patients.")
	}
	t.PatientCount, t.Relations = int(n), TransferRelations(v, t)
	return t, err
}

// checkReceiver returns NOT_FOUND for an account that cannot sign in, and NOT_CONFIRMED.
// It tells no more about an account that the viewer may not see.
func (s *Store) checkReceiver(ctx context.Context, tx bun.Tx, v *model.Viewer, id int64) error {
	var to model.User
	err := tx.NewSelect().Model(&to).Column("is_active", "is_confirmed").Where("id = ?", id).For("SHARE").Scan(ctx)
	switch {
	case isNoRows(err) || err == nil && !to.IsActive:
		return notFound("toId")
	case err == nil && !to.IsConfirmed && !v.IsOperator():
		return model.NewFieldError("toId", model.CodeNotConfirmed, "The receiver must confirm their e-mail address first.")
	}
	return err
}

// storeTransfer stores an offer, and reports whether it replaces one that no one has
// accepted.
func (s *Store) storeTransfer(ctx context.Context, tx bun.Tx, t *model.Transfer, o Offer) (replaced bool, err error) {
	result, err := tx.NewDelete().Table("transfers").Where("from_id = ? AND to_id = ? AND accepted_at IS NULL", t.FromID, t.ToID).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return false, err
	}
	waiting, err := tx.NewSelect().Table("transfers").Where("from_id = ? AND accepted_at IS NULL AND expires_at > now()", t.FromID).Count(ctx)
	if err != nil {
		return false, err
	}
	if waiting >= maxWaitingTransfers {
		return false, limitReached("fromId", maxWaitingTransfers)
	}
	row := offeredTransfer{Transfer: t, PatientIDs: o.Patients}
	_, err = tx.NewInsert().Model(&row).Returning("id, created_at").Exec(ctx)
	return n > 0, err
}

// recordTransfer records a change of a transfer: an event and a row of the feed of both
// accounts, and the key of the request.
func (s *Store) recordTransfer(ctx context.Context, tx bun.Tx, v *model.Viewer, t *model.Transfer, kind model.SecurityEventKind) error {
	if err := s.keepIn(ctx, tx, t); err != nil {
		return err
	}
	if err := s.feedAccounts(ctx, tx, []int64{t.FromID, t.ToID}); err != nil {
		return err
	}
	subject := t.NodeID().String()
	event := model.SecurityEvent{Kind: kind, ByID: actor(v), Subject: &subject, Reason: &t.Reason}
	sides := []model.SecurityEvent{event, event}
	sides[0].AccountID, sides[1].AccountID = &t.FromID, &t.ToID
	return s.record(ctx, tx, sides...)
}
