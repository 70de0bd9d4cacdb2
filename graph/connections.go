package graph

import (
	"context"

	"github.com/caregraph/caregraph/model"
)

// connect makes a connection of a list (Relay Cursor Connections, 4).
func connect[N model.Listed, E any](
	l *model.List[N], edge func(model.Edge[N]) E, count func(context.Context) (int, error),
) model.Connection[E, N] {
	edges := make([]E, len(l.Rows))
	for i, node := range l.Rows {
		edges[i] = edge(model.Edge[N]{Cursor: l.Cursor(node), Node: node})
	}
	return model.Connection[E, N]{Edges: edges, Nodes: l.Rows, PageInfo: pageInfo(l), Count: count}
}

func pageInfo[N model.Listed](l *model.List[N]) *model.PageInfo {
	info := &model.PageInfo{HasNextPage: l.HasNext, HasPreviousPage: l.HasPrevious}
	if n := len(l.Rows); n > 0 {
		start, end := l.Cursor(l.Rows[0]), l.Cursor(l.Rows[n-1])
		info.StartCursor, info.EndCursor = &start, &end
	}
	return info
}

// assigned makes a connection whose edges carry the assignment: each mapping
// of the list with the record at its other end. A record that was deleted
// since the mappings were read is left out.
func assigned[T, E any](
	ctx context.Context, l *model.List[*model.Mapping], key pageOf,
	others func(context.Context, []*model.Mapping) ([]*T, error), edge func(model.AssignmentEdge[*T]) E,
) (model.Connection[E, *T], error) {
	c := model.Connection[E, *T]{Edges: []E{}, Nodes: []*T{}, PageInfo: pageInfo(l), Count: countMappings(key)}
	records, err := others(ctx, l.Rows)
	for i, record := range records {
		if record == nil {
			continue
		}
		c.Nodes = append(c.Nodes, record)
		c.Edges = append(c.Edges, edge(model.AssignmentEdge[*T]{
			Edge:    model.Edge[*T]{Cursor: l.Cursor(l.Rows[i]), Node: record},
			Mapping: l.Rows[i],
		}))
	}
	return c, err
}

func countMappings(key pageOf) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) { return load(ctx).mappingCounts.Load(ctx, key) }
}

func mappingConnection(ctx context.Context, key pageOf) (*model.MappingConnection, error) {
	l, err := load(ctx).mappings.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	return &model.MappingConnection{Connection: connect(l, mappingEdge, countMappings(key))}, nil
}

func patientEdge(e model.Edge[*model.Patient]) *model.PatientEdge { return &model.PatientEdge{Edge: e} }

func doctorEdge(e model.Edge[*model.Doctor]) *model.DoctorEdge { return &model.DoctorEdge{Edge: e} }

func mappingEdge(e model.Edge[*model.Mapping]) *model.MappingEdge { return &model.MappingEdge{Edge: e} }
