package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// BenchmarkList_REST and BenchmarkList_GraphQL read the same list of 100
// patients with the same document. The metric cpu-ns/op is the time of this
// process on all processors: of the server and of an equal client. The database
// is another process.
func BenchmarkList_REST(b *testing.B) {
	s, rahul := benchmark(b)
	measure(b, rahul, func() *http.Request {
		return request(b, http.MethodGet, s.URL+patients, nil)
	})
}

func BenchmarkList_GraphQL(b *testing.B) {
	s, rahul := benchmark(b)
	body, err := json.Marshal(map[string]any{"query": rest.Documents()[patients]})
	testutil.Must(b, err)
	measure(b, rahul, func() *http.Request {
		return request(b, http.MethodPost, s.URL+"/graphql", body)
	})
}

func benchmark(b *testing.B) (*graphtest.Server, *graphtest.Client) {
	b.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	testutil.Must(b, err)
	transport, err := rest.New(gqlparser.MustLoadSchema(&ast.Source{Input: string(text)}), rest.Options{
		VerifyToken: func(context.Context, string) error { return nil },
	})
	testutil.Must(b, err)
	s := graphtest.New(b, graphtest.Options{Transports: []graphql.Transport{transport}})
	rahul := s.Account("Rahul", model.RolePatient)
	crowd(s, rahul, 100, "123 MG Road, Bangalore")
	return s, rahul
}

func request(b *testing.B, method, url string, body []byte) *http.Request {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, url, bytes.NewReader(body))
	testutil.Must(b, err)
	r.Header.Set("Content-Type", "application/json")
	return r
}

func measure(b *testing.B, who *graphtest.Client, next func() *http.Request) {
	b.Helper()
	client := http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	start := processorTime(b)
	for b.Loop() {
		r := next()
		r.Header.Set("Authorization", "Bearer "+who.Token)
		response, err := client.Do(r)
		testutil.Must(b, err)
		n, err := io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil || n < 20_000 {
			b.Fatalf("%d bytes, %v", n, err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	testutil.Must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
