package limits

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/caregraph/caregraph/model"
)

const mebi = 1 << 20

// counted is an answer with the end of its request.
type counted struct {
	*Answer
	end func()
}

func begin(t *testing.T, answers *Answers, account int64) counted {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request := new(int)
	return counted{answers.Begin(ctx, request, account), func() {
		cancel()
		for answers.counts(request) {
			runtime.Gosched()
		}
	}}
}

func (a *Answers) counts(request any) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, counts := a.requests[request]
	return counts
}

func (a *Answers) inMemory(account int64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.accounts[account]
}

func (c counted) rows(bytes int) model.Code { return model.CodeOf(c.Add(bytes)) }

func TestAnswers_OneIsBounded(t *testing.T) {
	t.Parallel()
	answers := &Answers{One: 2 * mebi, Account: 100 * mebi, All: 100 * mebi}
	for length, want := range map[int]model.Code{2*mebi - 1: "", 2 * mebi: "", 2*mebi + 1: model.CodeLimitExceeded} {
		if _, err := begin(t, answers, 1).Grow(length); model.CodeOf(err) != want {
			t.Errorf("%d bytes of JSON: %v, want %q", length, err, want)
		}
		if got := begin(t, answers, 2).rows(length); got != want {
			t.Errorf("%d bytes of rows: %q, want %q", length, got, want)
		}
	}
}

func TestAnswers_OfAnAccountAndOfAllAreBounded(t *testing.T) {
	t.Parallel()
	answers := &Answers{One: 10 * mebi, Account: 20 * mebi, All: 30 * mebi}
	first, second, third := begin(t, answers, 1), begin(t, answers, 1), begin(t, answers, 1)
	if first.rows(5*mebi) != "" || second.rows(5*mebi) != "" {
		t.Fatal("answers within the bounds are refused")
	}
	err := third.Add(mebi)
	if apiErr, ok := errors.AsType[*model.Error](err); !ok || apiErr.Code != model.CodeRateLimited || apiErr.RetryAfter == 0 {
		t.Errorf("beyond the bound of an account: %v", err)
	}
	if got := begin(t, answers, 2).rows(5 * mebi); got != "" {
		t.Errorf("another account: %q", got)
	}
	if got := begin(t, answers, 3).rows(mebi); got != model.CodeRateLimited {
		t.Errorf("beyond the bound of all: %q", got)
	}
	first.Sent(mebi) // its rows are gone, and its JSON is short
	if got := third.rows(mebi); got != "" {
		t.Errorf("after rows became an answer: %q", got)
	}
	first.end()
	second.end()
	if got := begin(t, answers, 1).rows(8 * mebi); got != "" {
		t.Errorf("after the answers were sent: %q", got)
	}
}

// TestAnswers_OnlyThePageOfAListCounts: the answer before it was sent.
func TestAnswers_OnlyThePageOfAListCounts(t *testing.T) {
	t.Parallel()
	answers, request := &Answers{One: 10 * mebi, Account: 11 * mebi, All: 11 * mebi}, new(int)
	for range 20 {
		page := answers.Begin(t.Context(), request, 1)
		if err := page.Add(5 * mebi); err != nil {
			t.Fatal(err)
		}
		if _, err := page.Grow(5 * mebi); err != nil {
			t.Fatal(err)
		}
		page.Sent(5 * mebi)
	}
	if got := answers.inMemory(1); got != 5*mebi {
		t.Errorf("%d bytes count", got)
	}
}

// TestAnswers_RefusedOnesAreNotInMemory: two that wait for each other would wait without
// an end.
func TestAnswers_RefusedOnesAreNotInMemory(t *testing.T) {
	t.Parallel()
	for _, answers := range []*Answers{{One: 10 * mebi, Account: 3 * mebi, All: 30 * mebi}, {One: 10 * mebi, Account: 30 * mebi, All: 3 * mebi}} {
		refused := begin(t, answers, 1)
		if got := refused.rows(mebi); got != "" {
			t.Fatalf("an answer within the bounds: %q", got)
		}
		if got := refused.rows(mebi); got != model.CodeRateLimited {
			t.Errorf("beyond the bounds: %q", got)
		}
		if got := answers.inMemory(1); got != 0 {
			t.Errorf("%d bytes count", got)
		}
	}
}

func TestAnswers_SmallOnesCostNothing(t *testing.T) {
	t.Parallel()
	answers := &Answers{One: 10 * mebi, Account: 1, All: 1}
	small := answers.Begin(t.Context(), nil, 1)
	for range 3 {
		if err := small.Add(32 << 10); err != nil {
			t.Fatal(err)
		}
	}
	if room, err := small.Grow(128 << 10); err != nil || room < 128<<10 {
		t.Errorf("room for %d bytes, %v", room, err)
	}
}
