package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
)

// This file has typed structs and functions over the generic reads.

// PatientQuery has the arguments of patients. The default order is CREATED_AT ASC.
type PatientQuery struct {
	Page             model.PageArgs
	Search           *string
	Gender           *model.Gender
	BloodGroup       *model.BloodGroup
	BornFrom, BornTo *model.Date
	DoctorID         *int64
	Deleted          model.DeletedFilter
	OrderBy          model.PatientOrderField
	Descending       bool
}

func (q PatientQuery) args() query.Args {
	order := &model.PatientOrder{}
	order.Field, order.Direction = q.OrderBy, direction(q.Descending)
	if q.OrderBy == "" {
		order.Field = model.PatientsByCreatedAt
	}
	args := pageArgs(q.Page)
	args["search"], args["orderBy"] = q.Search, order
	args["filter"] = &model.PatientFilter{
		Gender: q.Gender, BloodGroup: q.BloodGroup, BornFrom: q.BornFrom, BornTo: q.BornTo,
		DoctorID: idOf(model.KindDoctor, q.DoctorID), Deleted: &q.Deleted,
	}
	return args
}

// DoctorQuery has the arguments of doctors.
type DoctorQuery struct {
	Page               model.PageArgs
	Search             *string
	Specialization     *string
	MinExperienceYears *int
	MaxConsultationFee *model.Decimal
	IsVerified, Mine   *bool
	Deleted            model.DeletedFilter
	OrderBy            model.DoctorOrderField
	Descending         bool
}

func (q DoctorQuery) args() query.Args {
	order := &model.DoctorOrder{}
	order.Field, order.Direction = q.OrderBy, direction(q.Descending)
	if q.OrderBy == "" {
		order.Field = model.DoctorsByName
	}
	args := pageArgs(q.Page)
	args["search"], args["orderBy"] = q.Search, order
	args["filter"] = &model.DoctorFilter{
		Specialization: q.Specialization, MinExperienceYears: q.MinExperienceYears, MaxConsultationFee: q.MaxConsultationFee,
		IsVerified: q.IsVerified, Mine: q.Mine, Deleted: &q.Deleted,
	}
	return args
}

// MappingQuery has the arguments of mappings. The default is active and ended ones.
type MappingQuery struct {
	Page                model.PageArgs
	PatientID, DoctorID *int64
	IsActive            *bool
	OrderBy             model.MappingOrderField
	Descending          bool
}

func (q MappingQuery) args() query.Args {
	order := &model.MappingOrder{}
	order.Field, order.Direction = q.OrderBy, direction(q.Descending)
	if q.OrderBy == "" {
		order.Field = model.MappingsByAssignedAt
	}
	args := pageArgs(q.Page)
	args["orderBy"] = order
	args["filter"] = &model.MappingFilter{
		PatientID: idOf(model.KindPatient, q.PatientID), DoctorID: idOf(model.KindDoctor, q.DoctorID), IsActive: q.IsActive,
	}
	return args
}

func direction(descending bool) model.OrderDirection {
	if descending {
		return model.Descending
	}
	return model.Ascending
}

func idOf(kind model.Kind, num *int64) *model.ID {
	if num == nil {
		return nil
	}
	return &model.ID{Kind: kind, Num: *num}
}

func pageArgs(p model.PageArgs) query.Args {
	return query.Args{"first": p.First, "last": p.Last, "after": p.After, "before": p.Before}
}

func argsOf(q interface{ args() query.Args }) query.Args { return q.args() }

// listArgs returns the arguments of a list of mappings of a record.
func listArgs(p model.PageArgs, isActive *bool) query.Args {
	args := pageArgs(p)
	args["isActive"] = isActive
	return args
}

// list is a page of records of one type.
type list[T model.Listed] struct {
	Rows                 []T
	HasNext, HasPrevious bool
	cursors              map[int64]string
}

func (l *list[T]) Cursor(row T) string { return l.cursors[row.NodeID().Num] }

func listOf[T model.Listed](p *model.RecordPage, err error) (*list[T], error) {
	if err != nil {
		return nil, err
	}
	l := &list[T]{Rows: []T{}, HasNext: p.PageInfo.HasNextPage, HasPrevious: p.PageInfo.HasPreviousPage, cursors: map[int64]string{}}
	for _, e := range p.Entries {
		row := e.Node.(T)
		l.Rows, l.cursors[row.NodeID().Num] = append(l.Rows, row), e.Cursor
	}
	return l, nil
}

func recordOf[T model.Node](record model.Node, err error) (found T, _ error) {
	if err == nil {
		found = record.(T)
	}
	return found, err
}

func recordsOf[T model.Node](records []model.Node, err error) ([]T, error) {
	found := []T{}
	for _, record := range records {
		found = append(found, record.(T))
	}
	return found, err
}

func relatedOf[T model.Node](records map[int64]model.Node, err error) ([]T, error) {
	found := []T{}
	for _, record := range records {
		found = append(found, record.(T))
	}
	return found, err
}

func UsersByIDs(ctx context.Context, s *store.Store, v *model.Viewer, ids []int64) ([]*model.User, error) {
	return recordsOf[*model.User](s.GetMany(ctx, v, "User", ids))
}

func Patient(ctx context.Context, s *store.Store, v *model.Viewer, id int64) (*model.Patient, error) {
	return recordOf[*model.Patient](s.Get(ctx, v, "Patient", id))
}

func PatientsByIDs(ctx context.Context, s *store.Store, v *model.Viewer, ids []int64) ([]*model.Patient, error) {
	return recordsOf[*model.Patient](s.GetMany(ctx, v, "Patient", ids))
}

func Patients(ctx context.Context, s *store.Store, v *model.Viewer, q PatientQuery) (*list[*model.Patient], error) {
	return listOf[*model.Patient](s.Page(ctx, v, "patients", q.args()))
}

func CountPatients(ctx context.Context, s *store.Store, v *model.Viewer, q PatientQuery) (int, error) {
	return s.Count(ctx, v, "patients", q.args())
}

func Doctor(ctx context.Context, s *store.Store, v *model.Viewer, id int64) (*model.Doctor, error) {
	return recordOf[*model.Doctor](s.Get(ctx, v, "Doctor", id))
}

func DoctorsByIDs(ctx context.Context, s *store.Store, v *model.Viewer, ids []int64) ([]*model.Doctor, error) {
	return recordsOf[*model.Doctor](s.GetMany(ctx, v, "Doctor", ids))
}

// DoctorsOfMappings returns the doctors with the ids through Mapping.doctor.
func DoctorsOfMappings(ctx context.Context, s *store.Store, v *model.Viewer, ids []int64) ([]*model.Doctor, error) {
	return relatedOf[*model.Doctor](s.Related(ctx, v, "Mapping", "doctor", ids))
}

// DoctorsOfAccounts returns the doctor profiles of the accounts.
func DoctorsOfAccounts(ctx context.Context, s *store.Store, v *model.Viewer, accounts []int64) ([]*model.Doctor, error) {
	return relatedOf[*model.Doctor](s.Related(ctx, v, "User", "doctorProfile", accounts))
}

func Doctors(ctx context.Context, s *store.Store, v *model.Viewer, q DoctorQuery) (*list[*model.Doctor], error) {
	return listOf[*model.Doctor](s.Page(ctx, v, "doctors", q.args()))
}

func CountDoctors(ctx context.Context, s *store.Store, v *model.Viewer, q DoctorQuery) (int, error) {
	return s.Count(ctx, v, "doctors", q.args())
}

func Mapping(ctx context.Context, s *store.Store, v *model.Viewer, id int64) (*model.Mapping, error) {
	return recordOf[*model.Mapping](s.Get(ctx, v, "Mapping", id))
}

func MappingsByIDs(ctx context.Context, s *store.Store, v *model.Viewer, ids []int64) ([]*model.Mapping, error) {
	return recordsOf[*model.Mapping](s.GetMany(ctx, v, "Mapping", ids))
}

func Mappings(ctx context.Context, s *store.Store, v *model.Viewer, q MappingQuery) (*list[*model.Mapping], error) {
	return listOf[*model.Mapping](s.Page(ctx, v, "mappings", q.args()))
}

func CountMappings(ctx context.Context, s *store.Store, v *model.Viewer, q MappingQuery) (int, error) {
	return s.Count(ctx, v, "mappings", q.args())
}

// The types of the records that have mappings.
const ofPatient, ofDoctor = "Patient", "Doctor"

func MappingsOf(ctx context.Context, s *store.Store, v *model.Viewer, typ string, owners []int64, p model.PageArgs, isActive *bool) (map[int64]*list[*model.Mapping], error) {
	pages, err := s.PagesOf(ctx, v, typ, "mappings", owners, listArgs(p, isActive))
	if err != nil {
		return nil, err
	}
	lists := map[int64]*list[*model.Mapping]{}
	for owner, page := range pages {
		lists[owner], _ = listOf[*model.Mapping](page, nil)
	}
	return lists, nil
}

func CountMappingsOf(ctx context.Context, s *store.Store, v *model.Viewer, typ string, owners []int64, isActive *bool) (map[int64]int, error) {
	return s.CountsOf(ctx, v, typ, "mappings", owners, listArgs(model.PageArgs{}, isActive))
}

// nodeOf returns a node of records of a type.
func nodeOf(t *testing.T, s *store.Store, typ string) *query.Node {
	t.Helper()
	found := s.Records().Type(typ)
	if found == nil {
		t.Fatalf("there is no type %s", typ)
	}
	return found.Node()
}

// mappingsOf returns a node of the mappings of a record.
func mappingsOf(record *query.Join) *query.Node {
	node, _ := record.List("mappings")
	return node
}

func specializations(n *query.Node) *query.Load {
	group := &n.Record().Type().Groups[0]
	return n.GroupBy(group)
}

func fetch(ctx context.Context, s *store.Store, v *model.Viewer, loads []*query.Load) error {
	return s.Fetch(ctx, v, &query.Request{Loads: loads})
}

// fetchConfirming fetches in the round trip that confirms the session, and returns the
// viewer of the session.
func fetchConfirming(ctx context.Context, s *store.Store, v *model.Viewer, loads []*query.Load) (*model.Viewer, error) {
	err := s.Fetch(ctx, v, &query.Request{Loads: loads, Confirm: true})
	if changed, ok := errors.AsType[*store.ViewerChangedError](err); ok {
		return changed.Viewer, nil
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}
