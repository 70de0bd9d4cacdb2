package gqlhttp

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// Buffers are reused: everything that decodeBody returns must be a copy.
func TestDecodeBody_KeepsNothingOfTheBody(t *testing.T) {
	t.Parallel()
	for _, text := range slices.Concat(scanned, unscanned) {
		want, refused := decodeBody([]byte(text))
		body := []byte(text)
		got, _ := decodeBody(body)
		clear(body)
		if refused == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%.100s, with the body gone: %#v", text, got)
		}
	}
}

func TestReadBody_GivesEachRequestItsOwn(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				name := fmt.Sprint(strings.Repeat("x", 1+n*n%1_000), i, n)
				whole := strings.NewReader(fmt.Sprintf(`{"query":"{name}","variables":{"name":%q}}`, name))
				if params, err := read(t, whole); err != nil || params["name"] != name {
					t.Errorf("sent %s, read %v %v", name, params, err)
				}
				broken := io.MultiReader(strings.NewReader(`{"query":"{name}"`), iotest.ErrReader(io.ErrUnexpectedEOF))
				if _, err := read(t, broken); err == nil {
					t.Error("a body that breaks off was read")
				}
			}
		})
	}
	all.Wait()
}

// read returns the variables of a request with this body.
func read(t *testing.T, body io.Reader) (map[string]any, *requestError) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", body)
	r.Header.Set("Content-Type", mediaJSON)
	params, err := readBody(r)
	if err != nil {
		return nil, err
	}
	return params.Variables, nil
}

// TestReadBody_RefusesDeepJSON before it is decoded, in a body and in a URL.
func TestReadBody_RefusesDeepJSON(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		body    string
		refused bool
	}{
		{`{"query":"{name}","variables":{"a":` + deep(62) + `}}`, false},
		{`{"query":"{name}","variables":{"a":` + deep(63) + `}}`, true},
		{`{"query":"{name}","extensions":{"a":` + deep(500_000) + `}}`, true},
		{`{"query":"{name}","unknown":` + deep(500_000) + `}`, true},
		{deep(500_000), true},
	} {
		_, err := read(t, strings.NewReader(c.body))
		if refused := err != nil && err.status == http.StatusBadRequest && strings.Contains(err.message, "too deep"); refused != c.refused {
			t.Errorf("%.60s: %+v", c.body, err)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/graphql?query={name}&variables={%22a%22:"+deep(64)+"}", http.NoBody)
	if _, err := readURL(r); err == nil || err.status != http.StatusBadRequest {
		t.Errorf("in a URL: %+v", err)
	}
}
