package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// rowQueue lets the changes of one viewer to one row wait without a connection, except
// the first. A row that another server has locked then never takes the whole pool. A
// viewer who may not see the row has an own queue, and delays nobody.
type rowQueue struct {
	// timeout bounds the wait, like lock_timeout that in the database. Zero is no bound.
	timeout time.Duration

	mu   sync.Mutex
	rows map[rowKey]*rowTurn
}

type rowKey struct {
	viewer int64
	typ    string
	id     int64
}

var errRowWaits = errors.New("wait for a row")

// rowTurn is full while a change has its turn.
type rowTurn struct {
	taken chan struct{}
	users int
}

// enter waits for the turn of a change. The caller must call leave after it.
func (q *rowQueue) enter(ctx context.Context, key rowKey) (leave func(), err error) {
	turn := q.join(key)
	select {
	case turn.taken <- struct{}{}: // the usual case needs no timer
	default:
		if timeout := submissionOf(ctx).waits(q.timeout); timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, timeout)
			defer cancel()
		}
		select {
		case turn.taken <- struct{}{}:
		case <-ctx.Done():
			q.quit(key, turn)
			return nil, fmt.Errorf("%w: %w", errRowWaits, ctx.Err())
		}
	}
	return func() { <-turn.taken; q.quit(key, turn) }, nil
}

func (q *rowQueue) join(key rowKey) *rowTurn {
	q.mu.Lock()
	defer q.mu.Unlock()
	turn, ok := q.rows[key]
	if !ok {
		turn = &rowTurn{taken: make(chan struct{}, 1)}
		q.rows[key] = turn
	}
	turn.users++
	return turn
}

func (q *rowQueue) quit(key rowKey, turn *rowTurn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if turn.users--; turn.users == 0 {
		delete(q.rows, key)
	}
}

// inRowTx is inTx for a change that waits for the lock of a row.
func (s *Store) inRowTx(ctx context.Context, operation string, v *model.Viewer, typ string, id int64, f func(context.Context, bun.Tx) error) error {
	key := rowKey{typ: typ, id: id}
	if v != nil {
		key.viewer = v.UserID
	}
	leave, err := s.rows.enter(ctx, key)
	if err != nil {
		return s.translate(ctx, operation, err)
	}
	defer leave()
	return s.inTx(ctx, operation, f)
}
