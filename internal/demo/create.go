package demo

import (
	"context"
	"crypto/rand"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// create creates the clinic. The account of the stranger comes last: if all accounts are
// there, the whole clinic is.
func create(ctx context.Context, accounts *auth.Accounts) error {
	viewers := make([]*model.Viewer, 0, stranger)
	for _, p := range people()[:stranger] {
		v, err := createAccount(ctx, accounts, p)
		if err != nil {
			return err
		}
		viewers = append(viewers, v)
	}
	if err := createRecords(ctx, accounts.Store, viewers); err != nil {
		return err
	}
	_, err := createAccount(ctx, accounts, people()[stranger])
	return err
}

// createAccount creates the account of a person. No one knows its password. The address of
// the administrator is not confirmed, so no mail can set another one.
func createAccount(ctx context.Context, accounts *auth.Accounts, p person) (*model.Viewer, error) {
	u, err := auth.CreateAccount(ctx, accounts.Store, accounts.Hasher, &model.User{Username: p.username, Email: p.email(), Role: p.role}, rand.Text())
	if err == nil && p.role != model.RoleAdmin {
		u, err = accounts.Store.ConfirmAccount(ctx, model.Operator(), u.ID)
	}
	if err != nil {
		return nil, err
	}
	return &model.Viewer{UserID: u.ID, Role: u.Role}, nil
}

// createRecords creates what the people have to do with each other.
func createRecords(ctx context.Context, s *store.Store, viewers []*model.Viewer) error {
	doctors, err := createDoctors(ctx, s, viewers)
	if err != nil {
		return err
	}
	first, err := createPatients(ctx, s, viewers[owner], doctors)
	if err != nil {
		return err
	}
	if err := join(ctx, s, viewers[owner], viewers[colleague]); err != nil {
		return err
	}
	return claim(ctx, s, viewers[owner], viewers[patient], first)
}

// createDoctors creates the doctor entries. The first one is that of the doctor's account.
func createDoctors(ctx context.Context, s *store.Store, viewers []*model.Viewer) (ids []int64, err error) {
	for i, d := range doctors() {
		creator := viewers[owner]
		if i == 0 {
			creator = viewers[doctor]
		}
		made, err := s.CreateDoctor(ctx, creator, &d, i == 0)
		if err == nil {
			made, err = s.VerifyDoctor(ctx, viewers[administrator], made.ID, made.Version, store.Verification{IsVerified: true})
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, made.ID)
	}
	return ids, nil
}

// createPatients creates the patients with their doctors. It returns the first of them.
func createPatients(ctx context.Context, s *store.Store, v *model.Viewer, doctors []int64) (first *model.Patient, err error) {
	for _, r := range patients() {
		p, err := s.CreatePatient(ctx, v, r.patient())
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = p
		}
		for _, c := range r.care {
			if _, err := s.AssignDoctor(ctx, v, &model.Mapping{PatientID: p.ID, DoctorID: doctors[c.doctor], Notes: &c.notes}); err != nil {
				return nil, err
			}
		}
	}
	return first, nil
}

// join gives an account a place at the desk of the owner's team.
func join(ctx context.Context, s *store.Store, owner, member *model.Viewer) error {
	g, err := s.AddTeamMember(ctx, owner, people()[colleague].username, model.LevelDesk, nil)
	if err == nil {
		_, err = s.AcceptGrant(ctx, member, g.ID)
	}
	return err
}

// claim gives an account the own record, by a claim code.
func claim(ctx context.Context, s *store.Store, owner, account *model.Viewer, p *model.Patient) error {
	code, _, err := s.CreateClaimCode(ctx, owner, p.ID)
	if err == nil {
		_, err = s.ClaimPatient(ctx, account, code, p.Name, p.DateOfBirth)
	}
	return err
}
