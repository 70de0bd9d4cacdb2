package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

const (
	// maxTeam is how many places an owner may give, maxTeams how many an account may hold.
	maxTeam  = 200
	maxTeams = 20
	// maxDays is the longest time of a place in a team that ends by itself.
	maxDays = 3650
)

// filterGrants returns the conditions of the arguments of grants.
func filterGrants(_ query.Scope, args query.Args) (q query.Selection, _ error) {
	q.Conditions = whereGrant(args)
	return q, nil
}

// whereGrant reads the argument filter. Null means all grants.
func whereGrant(args query.Args) (conditions []query.Condition) {
	f := orZero(query.Arg[model.GrantFilter](args, "filter"))
	if f.Kind != nil {
		conditions = append(conditions, query.Where(`"grant".kind = ?`, string(*f.Kind)))
	}
	if f.InForce != nil {
		conditions = append(conditions, query.Where(`("grant".accepted_at IS NOT NULL AND "grant".ended_at IS NULL
			AND ("grant".expires_at IS NULL OR "grant".expires_at > now())) = ?`, *f.InForce))
	}
	return conditions
}

// AddTeamMember offers an account a place in the viewer's team, for some days or, if nil,
// without an end. It returns NOT_FOUND, NOT_CONFIRMED, INVALID (the viewer; the days),
// TAKEN (it has a place, or was offered one) and LIMIT_REACHED.
func (s *Store) AddTeamMember(ctx context.Context, v *model.Viewer, username string, level model.GrantLevel, days *int) (*model.Grant, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Grant, error) { return s.addTeamMember(ctx, v, username, level, days) })
}

func (s *Store) addTeamMember(ctx context.Context, v *model.Viewer, username string, level model.GrantLevel, days *int) (*model.Grant, error) {
	g := &model.Grant{Kind: model.GrantTeam, Level: level, GranterID: v.UserID}
	if days != nil {
		if *days < 1 || *days > maxDays {
			return nil, model.NewFieldError("days", model.CodeInvalid, fmt.Sprintf("Must be 1 to %d.", maxDays))
		}
		g.ExpiresAt = &model.DateTime{Time: s.now().AddDate(0, 0, *days)}
	}
	return s.changeGrant(ctx, "add team member", v, 0, func(ctx context.Context, tx bun.Tx) (*model.Grant, error) {
		member, err := s.receiver(ctx, tx, v, username)
		if err != nil {
			return nil, err
		}
		g.AccountID = &member
		_, err = tx.NewUpdate().Table("grants").Set("ended_at = expires_at").
			Where("kind = 'TEAM' AND granter_id = ? AND ended_at IS NULL AND expires_at <= now()", v.UserID).Exec(ctx)
		if err != nil {
			return nil, err
		}
		if err := s.below(ctx, tx, "username", maxTeam, "kind = 'TEAM' AND granter_id = ? AND ended_at IS NULL", v.UserID); err != nil {
			return nil, err
		}
		if _, err := tx.NewInsert().Model(g).Returning("id, created_at").Exec(ctx); err != nil {
			return nil, err
		}
		if err := s.notify(ctx, tx, model.Notice{AccountID: member, Kind: model.NoticeGrantOffered, ByID: &v.UserID}); err != nil {
			return nil, err
		}
		return g, s.recordGrant(ctx, tx, v, g, model.EventGrantOffered, nil)
	})
}

// receiver returns the account that may receive a grant of the viewer.
func (s *Store) receiver(ctx context.Context, tx bun.Tx, v *model.Viewer, username string) (int64, error) {
	if strings.ContainsRune(username, 0) || !utf8.ValidString(username) {
		return 0, notFound("username") // PostgreSQL cannot compare it
	}
	var found struct {
		ID          int64
		IsConfirmed bool
	}
	err := tx.NewSelect().Table("users").Column("id", "is_confirmed").
		Where("(lower(username) = lower(?) OR username_key = ?) AND is_active", username, model.UsernameKey(username)).
		Limit(1).Scan(ctx, &found)
	switch {
	case isNoRows(err):
		return 0, notFound("username")
	case err != nil:
		return 0, err
	case found.ID == v.UserID:
		return 0, model.NewFieldError("username", model.CodeInvalid, "This is your own account.")
	case !found.IsConfirmed:
		return 0, model.NewFieldError("username", model.CodeNotConfirmed, "This account has not confirmed its e-mail address.")
	}
	return found.ID, nil
}

// below returns LIMIT_REACHED if as many grants as most meet the condition.
func (*Store) below(ctx context.Context, tx bun.Tx, field string, most int, which string, args ...any) error {
	n, err := tx.NewSelect().Table("grants").Where(which, args...).Count(ctx)
	if err == nil && n >= int64(most) {
		return limitReached(field, most)
	}
	return err
}

// AcceptGrant agrees to a grant that the viewer was offered. It returns NOT_FOUND,
// FORBIDDEN (it is for another account), INVALID_CODE (it has expired or ended) and
// LIMIT_REACHED. A grant that was accepted before is returned as it is.
func (s *Store) AcceptGrant(ctx context.Context, v *model.Viewer, id int64) (*model.Grant, error) {
	return once(ctx, s, v, func(ctx context.Context) (*model.Grant, error) { return s.acceptGrant(ctx, v, id) })
}

func (s *Store) acceptGrant(ctx context.Context, v *model.Viewer, id int64) (*model.Grant, error) {
	return s.changeGrant(ctx, "accept grant", v, id, func(ctx context.Context, tx bun.Tx) (*model.Grant, error) {
		g, err := lock[model.Grant](ctx, s, tx, v, id, "id", forChange)
		switch {
		case err != nil:
			return nil, err
		case g.AccountID == nil || *g.AccountID != v.UserID:
			return nil, model.NewFieldError("id", model.CodeForbidden, "This grant is for another account.")
		case g.EndedAt != nil || g.ExpiresAt != nil && !g.ExpiresAt.After(s.now()):
			return nil, model.NewFieldError("id", model.CodeInvalidCode, "This grant has ended or expired.")
		case g.AcceptedAt != nil:
			return g, nil
		}
		if err := s.below(ctx, tx, "id", maxTeams, "kind = 'TEAM' AND account_id = ? AND accepted_at IS NOT NULL AND ended_at IS NULL", v.UserID); err != nil {
			return nil, err
		}
		if _, err := tx.NewUpdate().Model(g).WherePK().Set("accepted_at = now()").Returning("accepted_at").Exec(ctx); err != nil {
			return nil, err
		}
		return g, s.recordGrant(ctx, tx, v, g, model.EventGrantAccepted, nil)
	})
}

// EndGrant ends a grant at once. It returns NOT_FOUND, and REQUIRED if someone other than
// its holder ends the patient's own access without a reason. A grant that has ended before
// is returned as it is.
func (s *Store) EndGrant(ctx context.Context, v *model.Viewer, id int64, reason *string) (*model.Grant, error) {
	return once(ctx, s, v, func(ctx context.Context) (*model.Grant, error) { return s.endGrant(ctx, v, id, reason) })
}

func (s *Store) endGrant(ctx context.Context, v *model.Viewer, id int64, reason *string) (*model.Grant, error) {
	if err := model.ValidateReason("reason", reason, false); err != nil {
		return nil, err
	}
	return s.changeGrant(ctx, "end grant", v, 0, func(ctx context.Context, tx bun.Tx) (*model.Grant, error) {
		g, err := lock[model.Grant](ctx, s, tx, v, id, "id", forChange)
		if err != nil || g.EndedAt != nil {
			return g, err
		}
		ofAnother := g.Kind == model.GrantSelf && g.AccountID != nil && *g.AccountID != v.UserID
		if err := model.ValidateReason("reason", reason, ofAnother); err != nil {
			return nil, err
		}
		if _, err := tx.NewUpdate().Model(g).WherePK().Set("ended_at = now()").Returning("ended_at").Exec(ctx); err != nil {
			return nil, err
		}
		var notices []model.Notice
		for _, side := range g.Accounts() {
			if side != v.UserID {
				notices = append(notices, model.Notice{AccountID: side, Kind: model.NoticeGrantEnded, PatientID: g.PatientID, ByID: &v.UserID})
			}
		}
		if len(notices) > 0 {
			if err := s.notify(ctx, tx, notices...); err != nil {
				return nil, err
			}
		}
		return g, s.recordGrant(ctx, tx, v, g, model.EventGrantEnded, reason)
	})
}

// ClaimCodeTTL is how long a claim code is valid.
const ClaimCodeTTL = 7 * 24 * time.Hour

// claimCodeLength is how many characters a claim code has: 50 bits.
const claimCodeLength = 10

// claims is the purpose of the hashes of claim codes.
const claims = "claim"

// CreateClaimCode returns a code by which the patient claims the record, and the grant that
// waits for it. Older codes end. It returns NOT_FOUND, DELETED and FORBIDDEN.
func (s *Store) CreateClaimCode(ctx context.Context, v *model.Viewer, patient int64) (code string, g *model.Grant, err error) {
	code = NewCode(claimCodeLength)
	hash, err := s.secrets.hash(claims, code)
	if err != nil {
		return "", nil, fmt.Errorf("make claim code: %w", err)
	}
	err = s.inRowTx(ctx, "create claim code", v, "Patient", patient, func(ctx context.Context, tx bun.Tx) error {
		p, err := lockLive[model.Patient](ctx, s, tx, v, patient, "patientId")
		if err != nil {
			return err
		}
		if !s.policy.Audiences["KEEPERS"].Any(p.Relations) {
			return model.NewFieldError("patientId", model.CodeForbidden, "Only those who keep the record may make a code.")
		}
		_, err = tx.NewUpdate().Table("grants").Set("ended_at = now()").
			Where("patient_id = ? AND account_id IS NULL AND ended_at IS NULL", p.ID).Exec(ctx)
		if err != nil {
			return err
		}
		g = &model.Grant{
			Kind: model.GrantSelf, Level: model.LevelClinical, PatientID: &p.ID, GranterID: p.CreatedBy,
			ExpiresAt: &model.DateTime{Time: s.now().Add(ClaimCodeTTL)},
		}
		if _, err := tx.NewInsert().Model(g).Value("code_hash", "?", hash).Returning("id, created_at").Exec(ctx); err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, v, g, model.EventGrantOffered, nil)
	})
	if err != nil {
		return "", nil, err
	}
	s.forgetViewers(ctx, g.GranterID)
	g.Relations = GrantRelations(v, g)
	return code[:claimCodeLength/2] + "-" + code[claimCodeLength/2:], g, nil
}

// maxClaimTries is how many wrong names or dates of birth a claim code survives.
const maxClaimTries = 5

// ClaimPatient gives the viewer SELF access to the patient of a claim code. It returns
// NOT_CONFIRMED, and INVALID_CODE for a code, a name or a date of birth that is wrong.
func (s *Store) ClaimPatient(ctx context.Context, v *model.Viewer, code, name string, born model.Date) (*model.Grant, error) {
	return once(ctx, s, v, func(ctx context.Context) (*model.Grant, error) { return s.claimPatient(ctx, v, code, name, born) })
}

func (s *Store) claimPatient(ctx context.Context, v *model.Viewer, code, name string, born model.Date) (*model.Grant, error) {
	if !born.Valid() {
		return nil, model.NewFieldError("dateOfBirth", model.CodeInvalid, "Enter a valid date.")
	}
	refused := model.NewFieldError("code", model.CodeInvalidCode, "The code, the name or the date of birth is wrong, or the code has expired.")
	wrong := false
	g, err := s.changeGrant(ctx, "claim patient", v, 0, func(ctx context.Context, tx bun.Tx) (*model.Grant, error) {
		switch confirmed, err := isConfirmed(ctx, tx, v.UserID); {
		case err != nil:
			return nil, err
		case !confirmed:
			return nil, notConfirmed()
		}
		g := new(model.Grant)
		err := tx.NewSelect().Model(g).
			Where("code_hash IN ?", bun.Tuple(s.secrets.anyHash(claims, NormalCode(code)))).
			Where("ended_at IS NULL AND expires_at > now() AND tries < ? AND granter_id <> ?", maxClaimTries, v.UserID).
			For("UPDATE").Scan(ctx)
		if isNoRows(err) {
			return nil, refused
		}
		if err != nil {
			return nil, err
		}
		p := new(model.Patient)
		err = tx.NewSelect().Model(p).Column("name", "date_of_birth").Where("id = ? AND deleted_at IS NULL", *g.PatientID).Scan(ctx)
		if err != nil && !isNoRows(err) {
			return nil, err
		}
		if wrong = err != nil || model.Fold(p.Name) != model.Fold(name) || p.DateOfBirth != born; wrong {
			_, err := tx.NewUpdate().Model(g).WherePK().Set("tries = tries + 1").Exec(ctx)
			return g, err
		}
		_, err = tx.NewUpdate().Model(g).WherePK().Set("account_id = ?, code_hash = NULL, accepted_at = now(), expires_at = NULL", v.UserID).
			Returning("account_id, accepted_at, expires_at").Exec(ctx)
		if err != nil {
			return nil, err
		}
		err = s.notify(ctx, tx, model.Notice{AccountID: g.GranterID, Kind: model.NoticeRecordClaimed, PatientID: g.PatientID, ByID: &v.UserID})
		if err != nil {
			return nil, err
		}
		return g, s.recordGrant(ctx, tx, v, g, model.EventGrantAccepted, nil)
	})
	if err == nil && wrong {
		return nil, refused
	}
	return g, err
}

// changeGrant runs a change of a grant in a transaction, with the account of the viewer
// locked, and that of who offered a grant that begins: see standing.go. Then all servers
// look the viewers of both sides up again.
func (s *Store) changeGrant(
	ctx context.Context, operation string, v *model.Viewer, begins int64, f func(context.Context, bun.Tx) (*model.Grant, error),
) (g *model.Grant, err error) {
	if v == nil {
		return nil, unauthenticated()
	}
	err = s.inRowTx(ctx, operation, v, "User", v.UserID, func(ctx context.Context, tx bun.Tx) (err error) {
		locked, err := accountsOf(ctx, tx.NewSelect().TableExpr("users AS u").ColumnExpr("u.id").
			Where("u.id = ? OR u.id = (SELECT granter_id FROM grants WHERE id = ? AND account_id = ?)", v.UserID, begins, v.UserID).
			OrderExpr("u.id").For(forChange))
		switch {
		case err != nil:
			return err
		case !slices.Contains(locked, v.UserID):
			return notFound("id")
		}
		g, err = f(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.forgetViewers(ctx, g.Accounts()...)
	g.Relations = GrantRelations(v, g)
	return g, nil
}

// forgetViewers makes all servers look the viewers of accounts up again.
func (s *Store) forgetViewers(ctx context.Context, accounts ...int64) {
	messages := make([]string, len(accounts))
	for i, account := range accounts {
		s.sessions.RemoveUser(account)
		messages[i] = session.AllOf(account)
	}
	s.announce(ctx, messages...)
}

// recordGrant records a change of a grant: an event and a row of the feed for both sides,
// and the key of the request.
func (s *Store) recordGrant(ctx context.Context, tx bun.Tx, v *model.Viewer, g *model.Grant, kind model.SecurityEventKind, reason *string) error {
	if err := s.keepIn(ctx, tx, g); err != nil {
		return err
	}
	var reset []int64
	if g.AccountID != nil && g.AcceptedAt != nil { // its access has begun or ended
		reset = []int64{*g.AccountID}
	}
	if err := s.feedAccounts(ctx, tx, g.Accounts(), reset...); err != nil {
		return err
	}
	subject := g.NodeID().String()
	var events []model.SecurityEvent
	for _, account := range g.Accounts() {
		events = append(events, model.SecurityEvent{Kind: kind, AccountID: &account, ByID: &v.UserID, Subject: &subject, Reason: reason})
	}
	return s.record(ctx, tx, events...)
}

// lockTeam keeps the viewer's place at the desk of an owner until the transaction ends.
// It returns the relations that it gives, NOT_FOUND without a place in the team, and
// FORBIDDEN for another place.
func (s *Store) lockTeam(ctx context.Context, tx bun.Tx, v *model.Viewer, owner int64) (model.Relations, error) {
	g := new(model.Grant)
	err := tx.NewSelect().ModelTableExpr("grants AS g").Model(g).ColumnExpr("g.kind, g.level").
		Where("g.kind = 'TEAM' AND g.account_id = ? AND g.granter_id = ? AND "+session.InForce, v.UserID, owner).For("SHARE").Scan(ctx)
	switch {
	case isNoRows(err):
		return 0, notFound("ownerId")
	case err != nil:
		return 0, err
	case !g.Gives().Any(model.TeamDesk):
		return 0, model.NewFieldError("ownerId", model.CodeForbidden, "Your place in this team does not let you create patients.")
	}
	return g.Gives(), nil
}
