package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRefresh_TakesTheTokenOfEitherAnswer(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`{"refresh":"abc","access":"x"}`, `{"tokens":{"access":"x","refresh":"abc"}}`} {
		request, err := refresh([]byte(answer))
		must(t, err)
		if !strings.HasSuffix(string(request), `{"refresh":"abc"}`) {
			t.Errorf("%s leads to %s", answer, request)
		}
	}
	if _, err := refresh([]byte(`{"tokens":{"access":"x"}}`)); err == nil {
		t.Error("an answer without a token leads on")
	}
}

func TestLoad_FollowsTheAnswerBefore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if got = append(got, string(body)); len(got) == 4 {
			cancel()
		}
		_, _ = io.WriteString(w, strconv.Itoa(len(got)))
	}))
	defer server.Close()
	s := always(httpRequest("POST", "/", []byte("start")))
	s.follow = func(answer []byte) ([]byte, error) { return httpRequest("POST", "/", answer), nil }
	var c client
	var counting atomic.Bool
	must(t, c.load(ctx, server.Listener.Addr().String(), s, 0, &counting))
	if want := []string{"start", "1", "2", "3"}; !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestParse_TakesOtherRequestsOnlyByName(t *testing.T) {
	t.Parallel()
	for args, asked := range map[string]bool{"": false, "--only W1": false, "--only W1,refresh": true, "--only refresh": true} {
		o, err := parse(strings.Fields(args), io.Discard)
		must(t, err)
		if got := o.asks(other{name: "refresh"}); got != asked {
			t.Errorf("%q: asked for is %v", args, got)
		}
	}
}
