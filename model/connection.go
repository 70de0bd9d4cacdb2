package model

import (
	"context"
	"reflect"
)

// PageInfo describes a page (Relay Cursor Connections, 5).
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Connection is a page of a list.
type Connection[E, N any] struct {
	Edges    []E
	Nodes    []N
	PageInfo *PageInfo
	// Count computes the total. It is called only if a client selects it.
	Count func(context.Context) (int, error)
}

// TotalCount returns the number of records on all pages.
func (c *Connection[E, N]) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// Edge is a record with its position in a list.
type Edge[N any] struct {
	Cursor string
	Node   N
}

// AssignmentEdge is an edge with the mapping that assigns the doctor.
type AssignmentEdge[N any] struct {
	Edge[N]

	Mapping *Mapping
}

// Connect returns the page as a T, a struct that embeds Connection. If the row of
// an entry is not its node, the edge has it in the field named as its type.
func Connect[T any](p *RecordPage) *T {
	connection := new(T)
	v := reflect.ValueOf(connection).Elem()
	edges, nodes := v.FieldByName("Edges"), v.FieldByName("Nodes")
	edges.Set(reflect.MakeSlice(edges.Type(), 0, len(p.Entries)))
	nodes.Set(reflect.MakeSlice(nodes.Type(), 0, len(p.Entries)))
	for _, e := range p.Entries {
		edge := reflect.New(edges.Type().Elem().Elem())
		e.fill(edge.Elem())
		edges.Set(reflect.Append(edges, edge))
		nodes.Set(reflect.Append(nodes, reflect.ValueOf(e.Node)))
	}
	v.FieldByName("PageInfo").Set(reflect.ValueOf(p.PageInfo))
	v.FieldByName("Count").Set(reflect.ValueOf(p.Count))
	return connection
}

// EdgeOf returns the entry as a T, a struct that embeds Edge.
func EdgeOf[T any](e RecordEntry) *T {
	edge := new(T)
	e.fill(reflect.ValueOf(edge).Elem())
	return edge
}

func (e RecordEntry) fill(edge reflect.Value) {
	edge.FieldByName("Cursor").SetString(e.Cursor)
	edge.FieldByName("Node").Set(reflect.ValueOf(e.Node))
	if e.Row != nil {
		edge.FieldByName(e.Row.TypeName()).Set(reflect.ValueOf(e.Row))
	}
}
