package graph_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// BenchmarkQuery measures usual queries from the request to the answer, by plans and by
// gqlgen's executor, with a real database. `make bench` measures the whole server and
// PostgreSQL.
func BenchmarkQuery(b *testing.B) {
	s := graphtest.New(b, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	addPatients(s, rahul, 50, rahul.Entry("Dr. One"), rahul.Entry("Dr. Two"), rahul.Entry("Dr. Three"))
	s.Exec("ANALYZE")
	interpreted := s.With(func(c *graph.Config) { c.ReferenceOnly = true })
	for _, query := range []struct{ name, document string }{
		{"one", `{ patient(id: 1) { id name dateOfBirth gender phone } }`},
		{"nested", `{ patients(first: 20) { nodes { id name mappings { nodes { notes assignedAt doctor { name specialization } } } } } }`},
		{"whole", `{ patients(first: 50) { nodes { id name dateOfBirth gender email phone address emergencyContact bloodGroup
			medicalHistory createdAt updatedAt version mappings { nodes { id notes isActive assignedAt endedAt createdAt updatedAt
			doctor { id name email phone specialization licenseNumber experienceYears address consultationFee availability
			isVerified createdAt updatedAt version } } } } } }`},
		{"of a doctor", `{ doctor(id: 1) { mappings(first: 50) { nodes { patient { name } } } } }`},
		{"count", `{ patients { totalCount pageInfo { endCursor hasNextPage } } }`},
	} {
		b.Run(query.name, func(b *testing.B) { send(b, s.Handler, rahul, query.document) })
		b.Run(query.name+"/interpreted", func(b *testing.B) { send(b, interpreted.Handler, rahul, query.document) })
	}
}

// BenchmarkCreate measures a mutation with a short payload, by plans and by gqlgen's
// executor. PostgreSQL takes most of the time, so compare the allocations, too.
func BenchmarkCreate(b *testing.B) {
	s := graphtest.New(b, graphtest.Options{})
	interpreted := s.With(func(c *graph.Config) { c.ReferenceOnly = true })
	const document = `mutation { createPatient(input: {name: "Arjun Sharma", dateOfBirth: "1990-05-15", gender: MALE, phone: "9876543210",
		address: "12 MG Road", emergencyContact: "9876543211"}) { patient { id name version } userErrors { field code message } } }`
	rahul := s.Account("Rahul", model.RolePatient)
	b.Run("compiled", func(b *testing.B) { send(b, s.Handler, rahul, document) })
	b.Run("interpreted", func(b *testing.B) { send(b, interpreted.Handler, rahul, document) })
}

// BenchmarkExplain measures what the header X-CareGraph-Explain costs a lookup: plain is
// what every request without it costs.
func BenchmarkExplain(b *testing.B) {
	s := graphtest.New(b, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	addPatients(s, rahul, 1)
	for name, headers := range map[string]http.Header{"plain": {}, "explained": {"X-Caregraph-Explain": {"1"}}} {
		b.Run(name, func(b *testing.B) {
			ask := authHeader(b, s.Handler, rahul, `{ patient(id: 1) { id name } }`)
			b.ReportAllocs()
			for b.Loop() {
				ask(headers)
			}
		})
	}
}

// BenchmarkLookupsAtOnce measures concurrent lookups, which share round trips.
func BenchmarkLookupsAtOnce(b *testing.B) {
	s := graphtest.New(b, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	addPatients(s, rahul, 1)
	ask := authHeader(b, s.Handler, rahul, `{ patient(id: 1) { id name } }`)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ask()
		}
	})
}

func send(b *testing.B, handler http.Handler, client *graphtest.Client, document string) {
	b.Helper()
	ask := authHeader(b, handler, client, document)
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

// authHeader returns a function that sends the document, with more headers, and checks the
// answer.
func authHeader(b *testing.B, handler http.Handler, client *graphtest.Client, document string) func(more ...http.Header) {
	b.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		b.Fatal(err)
	}
	return func(more ...http.Header) {
		request := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+client.Token)
		for _, headers := range more {
			maps.Copy(request.Header, headers)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK || strings.HasPrefix(answer.Body.String(), `{"errors"`) {
			b.Error(answer.Body)
		}
	}
}
