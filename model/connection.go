package model

import (
	"context"
	"reflect"
)

// PageInfo is Relay's (Cursor Connections, 5).
type PageInfo struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// Connection is a part of a list.
type Connection[E, N any] struct {
	Edges    []E
	Nodes    []N
	PageInfo *PageInfo
	// Count computes the total; it is called only when a client asks.
	Count func(context.Context) (int, error)
}

// TotalCount returns how many records the whole list has.
func (c *Connection[E, N]) TotalCount(ctx context.Context) (int, error) { return c.Count(ctx) }

// Edge is a place in a list and the record there.
type Edge[N any] struct {
	Cursor string
	Node   N
}

// AssignmentEdge is an edge that carries the assignment: since when, why, by
// whom.
type AssignmentEdge[N any] struct {
	Edge[N]

	Mapping *Mapping
}

// Connect returns the connection of a page: a struct that embeds Connection. The
// edges carry the row of the list, in the field of its type's name, where that is
// not the node.
func Connect[T any](p *RecordPage) *T {
	connection := new(T)
	v := reflect.ValueOf(connection).Elem()
	edges, nodes := v.FieldByName("Edges"), v.FieldByName("Nodes")
	edges.Set(reflect.MakeSlice(edges.Type(), 0, len(p.Entries)))
	nodes.Set(reflect.MakeSlice(nodes.Type(), 0, len(p.Entries)))
	for _, e := range p.Entries {
		edge, node := reflect.New(edges.Type().Elem().Elem()), reflect.ValueOf(e.Node)
		edge.Elem().FieldByName("Cursor").SetString(e.Cursor)
		edge.Elem().FieldByName("Node").Set(node)
		if e.Row != nil {
			edge.Elem().FieldByName(e.Row.TypeName()).Set(reflect.ValueOf(e.Row))
		}
		edges.Set(reflect.Append(edges, edge))
		nodes.Set(reflect.Append(nodes, node))
	}
	v.FieldByName("PageInfo").Set(reflect.ValueOf(p.PageInfo))
	v.FieldByName("Count").Set(reflect.ValueOf(p.Count))
	return connection
}
