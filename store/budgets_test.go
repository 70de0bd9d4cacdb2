package store_test

import (
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// TestBudgets_TwoStoresShareThem, and units that both spend at the same time all count.
func TestBudgets_TwoStoresShareThem(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	other := ok(store.Open(t.Context(), c.URL, store.Options{Policy: storetest.Policy(t), Connections: 4}))(t)
	t.Cleanup(other.Close)
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			keys := []store.Spending{{Key: "a", Every: time.Second}, {Key: "b", Every: time.Minute}}
			if i%2 == 1 {
				keys[0], keys[1] = keys[1], keys[0]
			}
			if _, err := []*store.Store{c.Store, other}[i/10].SpendBudgets(t.Context(), now, keys); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range []*store.Store{c.Store, other} {
		fullAt := ok(s.Budgets(t.Context(), []string{"a", "b", "c"}))(t)
		testutil.Equal(t, "budgets", len(fullAt), 2)
		testutil.Equal(t, "a is full again after", fullAt["a"].Sub(now), 20*time.Second)
		testutil.Equal(t, "b is full again after", fullAt["b"].Sub(now), 20*time.Minute)
	}
	// A full budget begins again from now.
	later := now.Add(time.Hour)
	fullAt := ok(other.SpendBudgets(t.Context(), later, []store.Spending{{Key: "a", Every: time.Second}}))(t)
	testutil.Equal(t, "a is full again after", fullAt["a"].Sub(later), time.Second)
	testutil.Must(t, other.RefillBudgets(t.Context(), []string{"a"}))
	testutil.Equal(t, "budgets after a refill", len(ok(c.Store.Budgets(t.Context(), []string{"a"}))(t)), 0)
}
