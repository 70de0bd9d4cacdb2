package main

import (
	"strings"
	"testing"
	"time"
)

func TestOverLimits_NamesWhatFailedOrTookTooLong(t *testing.T) {
	t.Parallel()
	err := overLimits([]limitRow{
		{Query: "quick", Limit: pageLimit, Took: pageLimit},
		{Query: "slow", Limit: pageLimit, Took: pageLimit + time.Millisecond},
		{Query: "broken", Limit: countLimit, Failure: "UNAVAILABLE"},
	})
	if err == nil || strings.Contains(err.Error(), "quick") {
		t.Fatalf("error is %v", err)
	}
	for _, want := range []string{"slow took 501ms, the limit is 500ms", "broken: UNAVAILABLE"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if err := overLimits([]limitRow{{Query: "quick", Limit: pageLimit, Took: time.Millisecond}}); err != nil {
		t.Errorf("all is well, but: %v", err)
	}
}

func TestLimitedQueries_HaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, q := range limitedQueries() {
		if seen[q.name()] || q.limit == 0 {
			t.Errorf("%s is there twice or has no limit", q.name())
		}
		seen[q.name()] = true
	}
}
