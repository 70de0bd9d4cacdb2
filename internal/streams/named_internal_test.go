package streams

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// TestConcerned_ByTheRecordsInTheAnswer: news of doctor entries and accounts wake a query
// that names its records only for these.
func TestConcerned_ByTheRecordsInTheAnswer(t *testing.T) {
	t.Parallel()
	const both = model.TopicDoctors | model.TopicAccounts
	s := New(Options{})
	sub := &subscription{
		Subscription: &graph.Subscription{Topics: model.TopicPatients | both, Named: both}, streams: s, account: 1,
		named: namedIn([]byte(`{"patient":{"id":"pat_1","createdBy":{"id":"usr_8"},"doctor":{"id":"doc_5","account":null}}}`)),
	}
	s.remember(sub)
	entry := func(n int64) model.ID { return model.ID{Kind: model.KindDoctor, Num: n} }
	for name, test := range map[string]struct {
		news   store.News
		change func(*subscription)
		want   int
	}{
		"another entry":           {news: store.News{Topics: model.TopicDoctors, Records: []model.ID{entry(50), entry(8)}}},
		"its entry":               {news: store.News{Topics: model.TopicDoctors, Records: []model.ID{entry(50), entry(5)}}, want: 1},
		"another account":         {news: store.News{Topics: model.TopicAccounts, Records: []model.ID{{Kind: model.KindUser, Num: 5}}}},
		"its account":             {news: store.News{Topics: model.TopicAccounts, Records: []model.ID{{Kind: model.KindUser, Num: 8}}}, want: 1},
		"its viewer":              {news: store.News{Topics: both, Accounts: map[int64]model.Topics{1: both}, Records: []model.ID{entry(50)}}, want: 1},
		"too many to name":        {news: store.News{Topics: model.TopicDoctors}, want: 1},
		"everything":              {news: store.News{Topics: model.AllTopics}, want: 1},
		"patients of all":         {news: store.News{Topics: model.TopicPatients | both, Records: []model.ID{entry(50)}}, want: 1},
		"an answer is being made": {news: store.News{Topics: both, Records: []model.ID{entry(50)}}, change: func(s *subscription) { s.busy = true }, want: 1},
		"there was no answer":     {news: store.News{Topics: both, Records: []model.ID{entry(50)}}, change: func(s *subscription) { s.named = nil }, want: 1},
		"a list of entries": {
			news:   store.News{Topics: model.TopicDoctors, Records: []model.ID{entry(50)}},
			change: func(s *subscription) { s.Subscription = &graph.Subscription{Topics: both, Named: model.TopicAccounts} }, want: 1,
		},
	} {
		subscription, busy, known := sub.Subscription, sub.busy, sub.named
		if test.change != nil {
			test.change(sub)
		}
		named, others := s.concerned(&test.news)
		if got := len(named) + len(others); got != test.want {
			t.Errorf("%s: %d subscriptions wake, want %d", name, got, test.want)
		}
		sub.Subscription, sub.busy, sub.named = subscription, busy, known
	}
}

func TestNamedIn_TooManyAreNone(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range maxNamed + 1 {
		if found := namedIn([]byte(text.String())); i%1_000 == 0 && len(found) != i {
			t.Errorf("%d of %d ids are found", len(found), i)
		}
		fmt.Fprintf(&text, `{"id":"doc_%d"}`, i+1)
	}
	if namedIn([]byte(text.String())) != nil {
		t.Error("there is no bound")
	}
}
