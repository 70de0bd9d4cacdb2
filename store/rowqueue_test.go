package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// hasty has a lock_timeout of one second, and two seconds for an idle transaction.
func hasty(o *store.Options) { o.RequestTimeout, o.Connections = 3*time.Second, 8 }

// TestRows_OneLockedRowNeverFillsThePool: while another server holds a row, requests
// that need it answer UNAVAILABLE after a while, and all others at once.
func TestRows_OneLockedRowNeverFillsThePool(t *testing.T) {
	t.Parallel()
	for what, table := range map[string]string{"a patient": "patients", "an account": "users"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := storetest.New(t, hasty, func(o *store.Options) { o.RequestTimeout = 3 * o.RequestTimeout }) // time for the writes below
			asha, bina := c.Owner("Asha"), c.Owner("Bina")
			arjun, entry := asha.Patient("Arjun"), asha.Entry("Dr. Rao")
			frozen := opened(t, c.URL, store.Options{Connections: 2})
			locked, thaw := make(chan struct{}), make(chan struct{})
			freeze := func() { close(locked); <-thaw }
			var others sync.WaitGroup
			others.Go(func() {
				if table == "users" {
					_, _ = frozen.UpdateMe(t.Context(), asha.Viewer, []model.Change[model.User]{set("username", func(*model.User) { freeze() })})
					return
				}
				_, _ = frozen.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{set("name", func(*model.Patient) { freeze() })})
			})
			defer others.Wait()
			defer close(thaw)
			<-locked

			blocked := map[string]func(n int) error{
				"patients": func(n int) error {
					if n%2 == 0 {
						_, err := c.Store.AssignDoctor(t.Context(), asha.Viewer, &model.Mapping{PatientID: arjun.ID, DoctorID: entry.ID})
						return err
					}
					_, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, nil)
					return err
				},
				"users": func(n int) error {
					if n%2 == 0 {
						_, err := c.Store.UpdateMe(t.Context(), asha.Viewer, nil)
						return err
					}
					_, err := c.Store.CreateSession(t.Context(), storetest.Session(fmt.Sprint(n), asha.UserID, "r"), "hash of Asha")
					return err
				},
			}[table]
			var waiting sync.WaitGroup
			for n := range 12 {
				waiting.Go(func() { wantUnavailable(t, blocked(n)) })
			}
			eventually(t, "one of them waits in the database", func() bool { return c.Store.Stats()[1].InUse > 0 })
			ctx, cancel := context.WithTimeout(t.Context(), 2700*time.Millisecond) // less than lock_timeout
			defer cancel()
			for n := range 8 { // as many as there are connections
				ok(c.Store.CreatePatient(ctx, bina.Viewer, c.NewPatient("Esha")))(t)
				ok(c.Store.CreateSession(ctx, storetest.Session(fmt.Sprint("b", n), bina.UserID, "r"), "hash of Bina"))(t)
			}
			ok(c.Store.CreatePatient(ctx, asha.Viewer, c.NewPatient("Farah")))(t) // refers to the account only
			waiting.Wait()
		})
	}
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if model.CodeOf(err) != model.CodeUnavailable {
		t.Errorf("error is %v, want UNAVAILABLE", err)
	}
}

// TestRows_FrozenServerLosesItsLocks: a server that stops in the middle of a change does
// not keep others from the row.
func TestRows_FrozenServerLosesItsLocks(t *testing.T) {
	t.Parallel()
	seen := &failures{}
	c := storetest.New(t, hasty, seen.option)
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	rename := func(s *store.Store, before func()) error {
		_, err := s.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
			set("name", func(p *model.Patient) { before(); p.Name = "Arjuna" }),
		})
		return err
	}
	frozen := opened(t, c.URL, store.Options{RequestTimeout: 3 * time.Second, Connections: 2})
	thaw, locked, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() { done <- rename(frozen, func() { close(locked); <-thaw }) }()
	<-locked
	start := time.Now()
	wantUnavailable(t, rename(c.Store, func() {}))
	seen.want(t, store.Failure{Cause: store.CauseTimeout, Operation: "update Patient", SQLState: "55P03"})
	eventually(t, "the row is free", func() bool { return rename(c.Store, func() {}) == nil })
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
	close(thaw)
	wantUnavailable(t, <-done)
	testutil.Equal(t, "afterwards", rename(frozen, func() {}), nil)
}

// TestRows_StrangerDelaysNobody: who may not see a row does not wait in its queue.
func TestRows_StrangerDelaysNobody(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, hasty)
	asha, stranger := c.Owner("Asha"), c.Stranger()
	arjun := asha.Patient("Arjun")
	_, err := c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("name", func(*model.Patient) {
			wantCode(t, errOf(c.Store.UpdatePatient(t.Context(), stranger.Viewer, arjun.ID, nil, nil)), model.CodeNotFound, "id")
		}),
	})
	testutil.Equal(t, "the owner's change", err, nil)
}
