package pgpipe

import (
	"context"
	"time"
)

// Trip is a round trip to PostgreSQL that has ended, with success or not.
type Trip struct {
	// Pool is the name of the pool.
	Pool string
	// Count is how many statements it had.
	Count int
	// Statements are those of a pipeline. They are nil for a statement whose text may hold
	// values.
	Statements []*Statement
	Took       time.Duration
}

// Rows returns how many rows the statements of a pipeline have returned.
func (t Trip) Rows() (n int) {
	for _, st := range t.Statements {
		if st.Rows != nil {
			n += st.Rows.Len()
		}
	}
	return n
}

// begin returns when a trip begins; zero if no one wants to know.
func (p *Pool) begin() (at time.Time) {
	if p.onTrip != nil {
		at = time.Now()
	}
	return at
}

// ended reports a trip that began then.
func (p *Pool) ended(ctx context.Context, began time.Time, count int, statements []*Statement) {
	if p.onTrip != nil {
		p.onTrip(ctx, Trip{p.name, count, statements, time.Since(began)})
	}
}
