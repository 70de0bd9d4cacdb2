package rest_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// TestList_ManyAtOnceAnswer429 with Retry-After, while other accounts are served.
func TestList_ManyAtOnceAnswer429(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	greedy, canary := s.Account("Greedy", model.RolePatient), s.Account("Canary", model.RolePatient)
	lock, err := pgx.Connect(t.Context(), s.DatabaseURL)
	testutil.Must(t, err)
	defer func() { _ = lock.Close(context.WithoutCancel(t.Context())) }()
	_, err = lock.Exec(t.Context(), "BEGIN; LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
	testutil.Must(t, err)

	s.as(canary, http.MethodGet, "/api/doctors/", "") // the greedy account is not alone
	var sending sync.WaitGroup
	var refused atomic.Int64
	for range 64 {
		sending.Go(func() {
			switch got := s.as(greedy, http.MethodGet, "/api/patients/", ""); got.status {
			case http.StatusOK:
			case http.StatusTooManyRequests:
				if after := got.header.Get("Retry-After"); after != "1" {
					t.Errorf("Retry-After is %q", after)
				}
				refused.Add(1)
			default:
				t.Errorf("%d %s", got.status, got.text)
			}
		})
	}
	for until := time.Now().Add(30 * time.Second); refused.Load() == 0; {
		if got := s.as(canary, http.MethodGet, "/api/doctors/", ""); got.status != http.StatusOK {
			t.Errorf("another account gets %d %s", got.status, got.text)
		}
		if time.Now().After(until) {
			t.Fatal("no request is refused")
		}
	}
	_, err = lock.Exec(t.Context(), "ROLLBACK")
	testutil.Must(t, err)
	sending.Wait()
}
