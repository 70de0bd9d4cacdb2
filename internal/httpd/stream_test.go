package httpd

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestStream_EndEndsItsOperations, except those that run to their end. A stream keeps no context
// for the time between them.
func TestStream_EndEndsItsOperations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewStream(t.Context(), time.Minute)
		first, end := s.Operation(nil)
		end()
		if s.shared != nil || first.Err() == nil {
			t.Errorf("an idle stream has a context, and that of its last operation: %v", first.Err())
		}
		query, endQuery := s.Operation(nil)
		change, endChange := s.Operation(nil)
		RunToEnd(change)
		s.End()
		<-time.After(2 * graceOfQueries)
		if !errors.Is(query.Err(), context.Canceled) || change.Err() != nil {
			t.Errorf("after the end: query %v, change %v", query.Err(), change.Err())
		}
		endQuery()
		<-time.After(time.Minute)
		if !errors.Is(change.Err(), context.DeadlineExceeded) {
			t.Errorf("after its time: %v", change.Err())
		}
		endChange()
		late, endLate := s.Operation(nil)
		<-time.After(2 * graceOfQueries)
		if late.Err() == nil {
			t.Error("an operation runs on a stream that has ended")
		}
		endLate()
		if s.shared != nil {
			t.Error("an idle stream has a context")
		}
	})
}
