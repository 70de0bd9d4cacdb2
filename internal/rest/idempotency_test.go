package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// keyed sends a request of an account with an Idempotency-Key, and more headers.
func (s server) keyed(c *graphtest.Client, key, method, path, body string, headers ...string) reply {
	s.t.Helper()
	return s.send(method, path, body, append([]string{"Authorization", "Bearer " + c.Token, "Idempotency-Key", key}, headers...)...)
}

// TestIdempotency_OverREST: each change is made once, also if it is asked for with and
// without the slash at the end of the path, or with the members of the body in another order.
func TestIdempotency_OverREST(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.as(rahul, http.MethodPost, doctors, priyasBody)
	for _, change := range []struct {
		key, method, path, body string
		status                  int
	}{
		{"a", http.MethodPost, patients, arjunsBody, http.StatusCreated},
		{"b", http.MethodPatch, patients + "1/", `{}`, http.StatusOK},
		{"c", http.MethodPut, patients + "1/", arjunsBody, http.StatusOK},
		{"d", http.MethodPost, mappings, `{"patient":1,"doctor":1,"notes":"x"}`, http.StatusCreated},
		{"e", http.MethodDelete, mappings + "1/", "", http.StatusNoContent},
		{"f", http.MethodDelete, patients + "1/", "", http.StatusNoContent},
		{"g", http.MethodPost, patients, `{"name":""}`, http.StatusBadRequest},
	} {
		first := s.keyed(rahul, change.key, change.method, change.path, change.body)
		again := s.keyed(rahul, change.key, change.method, change.path[:len(change.path)-1], " "+change.body)
		if first.status != change.status || again.status != first.status || first.header.Get("ETag") != again.header.Get("ETag") {
			t.Errorf("%s %s: %d %s, then %d %s", change.method, change.path, first.status, first.text, again.status, again.text)
		}
		if change.status != http.StatusBadRequest && (again.text != first.text || first.header.Get("Idempotency-Replayed") != "" || again.header.Get("Idempotency-Replayed") != "true") {
			t.Errorf("%s %s: %s, then %s with %v", change.method, change.path, first.text, again.text, again.header)
		}
		other := s.keyed(rahul, change.key, http.MethodPost, doctors, priyasBody)
		s.want(other, http.StatusUnprocessableEntity, `{"detail":"Another request had this Idempotency-Key. Take a new key for each request."}`)
	}
	if got := s.Row(`SELECT string_agg(id || ' ' || version || ' ' || (deleted_at IS NOT NULL), ',') FROM patients`); got != "1 4 true" {
		t.Errorf("the patients are %s", got)
	}
	s.want(s.keyed(rahul, strings.Repeat("k", 256), http.MethodPost, patients, arjunsBody), http.StatusBadRequest,
		`{"detail":"The header Idempotency-Key takes 1 to 255 printable ASCII characters."}`)
}

// TestIdempotency_RESTUnderConditions: a list of tags takes several attempts, of which one
// is made. Sent again, it is not refused for the version that it made.
func TestIdempotency_RESTUnderConditions(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.as(rahul, http.MethodPost, patients, arjunsBody)
	for _, c := range []struct {
		key, header, tags string
		status            int
	}{
		{"one", "If-Match", `"1"`, http.StatusOK},
		{"list", "If-Match", `"7", "2"`, http.StatusOK},
		{"none", "If-None-Match", `"7"`, http.StatusOK},
		{"stale", "If-Match", `"9", "8"`, http.StatusPreconditionFailed},
	} {
		first := s.keyed(rahul, c.key, http.MethodPatch, patients+"1/", `{"name":"`+c.key+`"}`, c.header, c.tags)
		again := s.keyed(rahul, c.key, http.MethodPatch, patients+"1/", `{"name":"`+c.key+`"}`, c.header, c.tags)
		if first.status != c.status || again.status != c.status || first.header.Get("ETag") != again.header.Get("ETag") {
			t.Errorf("%s: %d %s, then %d %s", c.key, first.status, first.text, again.status, again.text)
		}
	}
	if got := s.Row(`SELECT name || ' ' || version FROM patients`); got != "none 4" {
		t.Errorf("the patient is %s", got)
	}
}
