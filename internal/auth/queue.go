package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/caregraph/caregraph/model"
)

const (
	maxLater     = 1000
	laterTimeout = 10 * time.Second
)

// Queue does work after the answer to a request, so that the time of the answer does not
// tell what there was to do. What waits when the server stops is lost.
type Queue struct {
	work chan func(context.Context) error
	log  *slog.Logger
}

// NewQueue returns a queue that does nothing until Start.
func NewQueue(log *slog.Logger) *Queue {
	return &Queue{work: make(chan func(context.Context) error, maxLater), log: log}
}

// Add adds work. It returns RATE_LIMITED if too much waits.
func (q *Queue) Add(work func(context.Context) error) error {
	select {
	case q.work <- work:
		return nil
	default:
		return model.RateLimited("Too many requests of this kind. Please try again.", 1)
	}
}

// Start works until the caller calls stop, which waits for the work in progress.
func (q *Queue) Start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case work := <-q.work:
				q.do(ctx, work)
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (q *Queue) do(ctx context.Context, work func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, laterTimeout)
	defer cancel()
	if err := work(ctx); err != nil {
		q.log.ErrorContext(ctx, "a request was answered, but not carried out", "error", err)
	}
}
