package graph

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (q query) Node(ctx context.Context, id model.ID) (model.Node, error) {
	found, err := q.Nodes(ctx, []*model.ID{&id})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Nodes reads the records of each kind together.
func (q query) Nodes(ctx context.Context, ids []*model.ID) ([]model.Node, error) {
	if len(ids) > model.MaxPage {
		return nil, model.RefuseField("ids", model.CodeBadUserInput, fmt.Sprintf("Ask for at most %d ids at once.", model.MaxPage))
	}
	wanted := map[model.Kind][]int64{}
	for _, id := range ids {
		wanted[id.Kind] = append(wanted[id.Kind], id.Num)
	}
	found := map[model.ID]model.Node{}
	for _, err := range []error{
		collect(ctx, found, wanted[model.KindUser], q.Store.UsersByIDs),
		collect(ctx, found, wanted[model.KindPatient], q.Store.PatientsByIDs),
		collect(ctx, found, wanted[model.KindDoctor], q.Store.DoctorsByIDs),
		collect(ctx, found, wanted[model.KindMapping], q.Store.MappingsByIDs),
	} {
		if err != nil {
			return nil, err
		}
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		nodes[i] = found[*id]
	}
	return nodes, nil
}

func collect[N model.Node](
	ctx context.Context, found map[model.ID]model.Node, ids []int64,
	read func(context.Context, *model.Viewer, []int64) ([]N, error),
) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := read(ctx, viewer(ctx), ids)
	for _, row := range rows {
		found[row.NodeID()] = row
	}
	return err
}

// life is the field of each type of record that says whether it is over: who
// may set it may end the record.
var life = map[string]string{"Patient": "deletedAt", "Doctor": "deletedAt", "Mapping": "isActive"}

// access says what the viewer may do with a record.
func (r resolver) access(record model.Record) *gen.ViewerAccess {
	return r.allowed(record.TypeName(), record.ViewerRelations())
}

func (r resolver) allowed(typ string, stands model.Relations) *gen.ViewerAccess {
	rule := r.Policy.Types[typ]
	relations := []gen.Relation{}
	for _, name := range stands.Names() {
		relations = append(relations, gen.Relation(name))
	}
	writable := rule.Writable(stands)
	return &gen.ViewerAccess{
		Relations:      relations,
		CanUpdate:      len(writable) > 0,
		CanDelete:      rule.Fields[life[typ]].Write.Any(stands),
		WritableFields: writable,
		RedactedFields: rule.Redacted(stands),
	}
}
