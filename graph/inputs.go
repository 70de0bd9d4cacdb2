package graph

import (
	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

// This file turns inputs into what the store takes, where graph/gen/changes.go
// does not, and does nothing else.

func newMapping(in gen.AssignDoctorInput) *model.Mapping {
	mapping := gen.NewMapping(in)
	mapping.PatientID, mapping.DoctorID = in.PatientID.Of(model.KindPatient), in.DoctorID.Of(model.KindDoctor)
	return mapping
}

// linkedAccount is nil for an unchanged link, and points to nil for none.
func linkedAccount(in gen.VerifyDoctorInput) **int64 {
	id, set := in.AccountID.ValueOK()
	if !set {
		return nil
	}
	var account *int64
	if id != nil {
		num := id.Of(model.KindUser)
		account = &num
	}
	return &account
}
