package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// TestQueue_IsBounded, works in order, and goes on after an error.
func TestQueue_IsBounded(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	q := auth.NewQueue(slog.New(slog.NewTextHandler(&log, nil)))
	var done []int
	var err error
	n := 0
	for ; err == nil; n++ {
		err = q.Add(func(context.Context) error {
			done = append(done, n)
			return errors.New("broken")
		})
	}
	testutil.Equal(t, "the refusal", model.CodeOf(err), model.CodeRateLimited)
	testutil.Equal(t, "before it", n, 1001)
	stop := q.Start(t.Context())
	finished := make(chan struct{})
	for err = errors.New("full"); err != nil; {
		err = q.Add(func(context.Context) error { close(finished); return nil })
	}
	<-finished
	stop()
	testutil.Equal(t, "work", len(done), 1000)
	if !strings.Contains(log.String(), "broken") {
		t.Error("the log does not name the error")
	}
}

func TestDeriveAll_KeepsTheSecretsOfOlderKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	before, err := auth.LoadOrCreateKeys(path, "EdDSA")
	testutil.Must(t, err)
	after, err := auth.RotateKeys(path, "EdDSA")
	testutil.Must(t, err)
	old, err := before.DeriveAll("mail")
	testutil.Must(t, err)
	all, err := after.DeriveAll("mail")
	testutil.Must(t, err)
	testutil.Equal(t, "secrets", len(all), 2)
	testutil.Equal(t, "the older one", all[1], old[0])
	first, err := after.Derive("mail")
	testutil.Must(t, err)
	testutil.Equal(t, "the first", all[0], first)
	other, err := after.Derive("codes")
	testutil.Must(t, err)
	if bytes.Equal(first, other) || bytes.Equal(all[0], all[1]) {
		t.Error("two purposes or two keys have one secret")
	}
}
