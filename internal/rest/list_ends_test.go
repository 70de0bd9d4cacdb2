package rest_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

func TestList_EndsWithAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	var c counter
	ended := make(chan int64, 1)
	s := watch(t, &c, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		before := c.Load()
		next(w, exec)
		if r.Method == http.MethodGet {
			ended <- c.Load() - before
		}
	})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 10_000, strings.Repeat("long address ", 300)) // about 40 MB: more than the buffers of the system
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+patients, http.NoBody)
	testutil.Must(t, err)
	request.Header.Set("Authorization", "Bearer "+rahul.Token)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := http.DefaultClient.Do(request)
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	if _, err := bufio.NewReader(response.Body).ReadString('}'); err != nil {
		t.Fatal(err)
	}
	leave()
	if n := <-ended; n >= 100 {
		t.Errorf("%d statements for a client that had left", n)
	}
}

func TestList_EndsWhenWritingFails(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"identity", "gzip"} {
		var c counter
		ended := make(chan int64, 1)
		s := watch(t, &c, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
			before := c.Load()
			if r.URL.Path == patients {
				next(&meter{ResponseWriter: w, statements: &c, broken: 2}, exec)
				ended <- c.Load() - before
				return
			}
			next(w, exec)
		})
		rahul := s.Account("Rahul", model.RolePatient)
		crowd(s.Server, rahul, 3_000, "Here")
		_, _, _ = s.get(rahul, patients, "Accept-Encoding", encoding)
		if n := <-ended; n >= 30 {
			t.Errorf("%s: %d statements", encoding, n)
		}
	}
}

// failing is an executor whose pages fail from the third on.
type failing struct {
	graphql.GraphExecutor
	pages *int
	fault func(context.Context) graphql.ResponseHandler
}

func (f failing) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if op.Operation.Name == "Patients" {
		if *f.pages++; *f.pages >= 3 {
			return f.fault(ctx), ctx
		}
	}
	return f.GraphExecutor.DispatchOperation(ctx, op)
}

// The status was sent already: half a list must not look like a complete one.
func TestList_AFaultInTheMiddleBreaksTheConnection(t *testing.T) {
	t.Parallel()
	for why, fault := range map[string]func(context.Context) graphql.ResponseHandler{
		"an error": func(context.Context) graphql.ResponseHandler {
			err := gqlerror.Errorf("broken")
			err.Extensions = map[string]any{"code": "INTERNAL"}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		},
		"an entry that is too long": func(context.Context) graphql.ResponseHandler {
			err := gqlerror.Errorf("too long")
			err.Extensions = map[string]any{"code": "LIMIT_EXCEEDED"}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		},
		"the time is up": func(context.Context) graphql.ResponseHandler {
			return func(context.Context) *graphql.Response { return nil }
		},
		"data that is none": func(context.Context) graphql.ResponseHandler {
			return graphql.OneShot(&graphql.Response{Data: json.RawMessage(`{"patients":7}`)})
		},
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			s := watch(t, nil, func(w http.ResponseWriter, _ *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
				next(w, failing{exec, new(int), fault})
			})
			rahul := s.Account("Rahul", model.RolePatient)
			crowd(s.Server, rahul, 1_000, strings.Repeat("address ", 50))
			_, body, err := s.get(rahul, patients, "Accept-Encoding", encoding)
			if err == nil || json.Valid([]byte(body)) {
				t.Errorf("%s, %s: %d bytes came as if they were all", why, encoding, len(body))
			}
			if encoding == "gzip" && err == nil {
				if zip, err := gzip.NewReader(strings.NewReader(body)); err == nil {
					if _, err := io.ReadAll(zip); err == nil {
						t.Errorf("%s: it is whole", why)
					}
				}
			}
		}
	}
}

// watchedHeader is the header of a request that pagesOf watches.
const watchedHeader = "Test-Watched"

// pagesOf returns a server that calls before for each try to read a page of patients, for
// a request with the header.
func pagesOf(t *testing.T, before func(try int)) server {
	t.Helper()
	return watch(t, nil, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		if r.Header.Get(watchedHeader) != "" {
			exec = hooked{exec, new(int), before}
		}
		next(w, exec)
	})
}

type hooked struct {
	graphql.GraphExecutor

	tries  *int
	before func(try int)
}

func (h hooked) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	*h.tries++
	h.before(*h.tries)
	return h.GraphExecutor.DispatchOperation(ctx, op)
}

// TestList_LaterPagesWaitForTheirTurn: other requests of the account fill its queue after
// the second page. The third one is refused, waits, and the list is whole.
func TestList_LaterPagesWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	var s server
	var rahul *graphtest.Client
	var others sync.WaitGroup
	var tries int
	lock := func(string) {}
	s = pagesOf(t, func(try int) {
		switch tries = try; try {
		case 3:
			lock("BEGIN; LOCK TABLE patients IN ACCESS EXCLUSIVE MODE")
			full := make(chan struct{})
			isFull := sync.OnceFunc(func() { close(full) })
			for range 64 {
				others.Go(func() {
					if s.as(rahul, http.MethodGet, patients, "").status == http.StatusTooManyRequests {
						isFull()
					}
				})
			}
			<-full
		case 4:
			lock("ROLLBACK")
		}
	})
	rahul = s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 1_000, "Here")
	db, err := pgx.Connect(t.Context(), s.DatabaseURL)
	testutil.Must(t, err)
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
	lock = func(statement string) {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	_, body, err := s.get(rahul, patients, watchedHeader, "yes")
	testutil.Must(t, err)
	others.Wait()
	wantPatients(t, body, 1_000)
	if tries <= 10 {
		t.Errorf("no page was refused: %d tries", tries)
	}
}

// TestList_EndsWithAClientThatLeavesWhileItWaits for its turn.
func TestList_EndsWithAClientThatLeavesWhileItWaits(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	ended := make(chan struct{})
	s := watch(t, nil, func(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, next func(http.ResponseWriter, graphql.GraphExecutor)) {
		if r.URL.Path != patients {
			next(w, exec)
			return
		}
		defer close(ended)
		next(w, failing{exec, new(int), func(context.Context) graphql.ResponseHandler {
			leave()
			err := gqlerror.Errorf("too much at once")
			err.Extensions = map[string]any{"code": "RATE_LIMITED", "retryAfter": 3600}
			return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{err}})
		}})
	})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s.Server, rahul, 1_000, "Here")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+patients, http.NoBody)
	testutil.Must(t, err)
	request.Header.Set("Authorization", "Bearer "+rahul.Token)
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	<-ended
}
