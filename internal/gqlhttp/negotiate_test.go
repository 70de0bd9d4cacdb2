package gqlhttp

import (
	"net/http"
	"testing"
)

func TestNegotiate_ChoosesByWeightThenByOrder(t *testing.T) {
	t.Parallel()
	const neither = ""
	cases := []struct {
		accept []string
		want   string
	}{
		{nil, mediaResponse},
		{[]string{""}, mediaResponse},
		{[]string{"*/*"}, mediaResponse},
		{[]string{"application/*"}, mediaResponse},
		{[]string{"application/json"}, mediaJSON},
		{[]string{"application/graphql-response+json"}, mediaResponse},
		{[]string{"APPLICATION/JSON"}, mediaJSON},
		// The header that the specification recommends to clients, in two
		// editions.
		{[]string{"application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"}, mediaResponse},
		{[]string{"application/graphql-response+json, application/json;q=0.9"}, mediaResponse},
		{[]string{"application/json, application/graphql-response+json"}, mediaJSON},
		{[]string{"application/json;q=0.5, application/graphql-response+json;q=0.6"}, mediaResponse},
		{[]string{"application/json;q=0.6, application/graphql-response+json;q=0.5"}, mediaJSON},
		// The headers of axios and browsers.
		{[]string{"application/json, text/plain, */*"}, mediaJSON},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, mediaResponse},
		// The more specific range wins, regardless of its weight.
		{[]string{"*/*, application/graphql-response+json;q=0"}, mediaJSON},
		{[]string{"*/*;q=0, application/json"}, mediaJSON},
		{[]string{"application/*;q=0.1, application/json;q=0.2"}, mediaJSON},
		{[]string{"text/html", "application/json"}, mediaJSON},
		{[]string{"text/html"}, neither},
		{[]string{"application/json;q=0"}, neither},
		{[]string{"*/*;q=0"}, neither},
		{[]string{"application/json;q=high"}, neither},
		{[]string{"application/json;q=NaN"}, neither},
		{[]string{"application/json; charset=utf-16"}, neither},
		{[]string{"text/event-stream, multipart/mixed"}, mediaEvents},
		{[]string{"text/event-stream;q=0"}, neither},
		{[]string{"application/json, text/event-stream"}, mediaJSON},
		{[]string{";;;, application/json"}, mediaJSON},
		{[]string{";;;"}, neither},
	}
	for _, c := range cases {
		got, ok := negotiate(http.Header{"Accept": c.accept})
		if got != c.want || ok != (c.want != neither) {
			t.Errorf("Accept %q: %q, want %q", c.accept, got, c.want)
		}
	}
}
