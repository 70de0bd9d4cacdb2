package model

import "context"

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
