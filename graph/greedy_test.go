package graph_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// greedyDocuments are queries of which one account sends very many. The long ones are
// for the reference engine.
func greedyDocuments() map[string]string {
	many := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "a%d: %s ", i, field)
		}
		return "{ " + b.String() + "}"
	}
	return map[string]string{
		"a count":           `{ patients(first: 0, search: "a") { totalCount } }`,
		"lists with counts": many(21, `patients(first: 1) { totalCount nodes { id } }`),
		"nested lists":      `{ patients(first: 100) { nodes { id mappings { totalCount nodes { doctor { name } } } } } }`,
		"long texts":        `{ patients(first: 100) { nodes { address medicalHistory } } }`,
	}
}

// TestGreedy_OthersAreServed while one account sends 64 queries at the same time, none of
// which gets an answer: its patients are locked. The queries are refused or wait.
func TestGreedy_OthersAreServed(t *testing.T) {
	t.Parallel()
	for name, document := range greedyDocuments() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := graphtest.New(t, graphtest.Options{})
			greedy, canary := s.Account("Greedy", model.RolePatient), s.Account("Canary", model.RolePatient)
			lock, err := pgx.Connect(t.Context(), s.DatabaseURL)
			testutil.Must(t, err)
			defer func() { _ = lock.Close(context.WithoutCancel(t.Context())) }()
			_, err = lock.Exec(t.Context(), "BEGIN; LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
			testutil.Must(t, err)

			canary.Must("{ doctors { nodes { id } } }", nil) // the greedy account is not alone
			var sending sync.WaitGroup
			var refused atomic.Int64
			const queries = 64
			for range queries {
				sending.Go(func() {
					errs := greedy.Do(document, nil).Errors
					for _, e := range errs {
						extensions := e["extensions"].(map[string]any)
						if extensions["code"] != "RATE_LIMITED" || extensions["retryAfter"] != 1.0 {
							t.Errorf("error is %v", e)
						}
					}
					if len(errs) > 0 {
						refused.Add(1)
					}
				})
			}
			for until := time.Now().Add(30 * time.Second); refused.Load() == 0; {
				canary.Must("{ doctors { nodes { id } } me { id } }", nil)
				canary.Must(`mutation { updateMe(input: {username: "Canary"}) { user { id } userErrors { code } } }`, nil)
				canary.Must(`mutation { login(input: {email: "canary@clinic.example", password: "`+graphtest.Password+`"}) { user { id } userErrors { code } } }`, nil)
				testutil.Must(t, s.Store.Ping(t.Context()))
				if time.Now().After(until) {
					t.Fatal("no query is refused")
				}
			}
			_, err = lock.Exec(t.Context(), "ROLLBACK")
			testutil.Must(t, err)
			sending.Wait()
			if n := refused.Load(); n == queries {
				t.Error("all queries were refused")
			}
		})
	}
}
