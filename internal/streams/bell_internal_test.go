package streams

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Hold keeps all reads of an account's subscriptions waiting until release is called, and
// Waiting is how many do.
func (s *Streams) Hold(account int64) (release func()) { return s.enter(account) }

// Waiting is described at Hold.
func (s *Streams) Waiting(account int64) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turns[account].users - 1
}

// TestConcerned_ByTopic: a change concerns those that follow its topic, each of them once, and
// administrators hear of more.
func TestConcerned_ByTopic(t *testing.T) {
	t.Parallel()
	const patients, doctors = model.TopicPatients, model.TopicDoctors
	s := New(Options{})
	follow := func(account int64, topics, named model.Topics, ids ...int64) *subscription {
		sub := &subscription{Subscription: &graph.Subscription{Topics: topics, Named: named}, streams: s, account: account}
		sub.named = map[model.ID]struct{}{}
		for _, id := range ids {
			sub.named[model.ID{Kind: model.KindDoctor, Num: id}] = struct{}{}
		}
		s.remember(sub)
		return sub
	}
	all := map[string]*subscription{
		"patients": follow(1, patients, 0), "doctors": follow(2, doctors, 0), "both": follow(3, patients|doctors, 0),
		"one doctor": follow(4, patients|doctors, doctors, 7), "admin": follow(5, patients|doctors, 0), "admin, doctors": follow(5, doctors, 0),
	}
	all["admin"].setAdmin(true)
	all["admin, doctors"].setAdmin(true)
	records := func(id int64) []model.ID { return []model.ID{{Kind: model.KindDoctor, Num: id}} }
	for _, tc := range []struct {
		of   string
		news store.News
		want []string
	}{
		{"a patient", store.News{Admins: patients}, []string{"admin"}},
		{"doctor 7", store.News{Topics: doctors, Records: records(7)}, []string{"admin", "admin, doctors", "both", "doctors", "one doctor"}},
		{"doctor 8", store.News{Topics: doctors, Records: records(8)}, []string{"admin", "admin, doctors", "both", "doctors"}},
		{"too many doctors", store.News{Topics: doctors}, []string{"admin", "admin, doctors", "both", "doctors", "one doctor"}},
		{"a patient and doctor 8", store.News{Topics: doctors, Admins: patients, Records: records(8)}, []string{"admin", "admin, doctors", "both", "doctors"}},
		{"an account", store.News{Topics: model.TopicAccounts}, nil},
		{"patients of two", store.News{Accounts: map[int64]model.Topics{1: patients, 2: patients}}, []string{"patients"}},
		{"everything", store.News{Topics: model.AllTopics}, slices.Sorted(maps.Keys(all))},
	} {
		named, others := s.concerned(&tc.news)
		var got []string
		for _, sub := range slices.Concat(named, others) {
			for name := range all {
				if all[name] == sub {
					got = append(got, name)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, tc.want) {
			t.Errorf("%s concerns %q, want %q", tc.of, got, tc.want)
		}
	}
	for _, sub := range all {
		sub.end()
	}
	if len(s.subscriptions)+len(s.followers)+len(s.admins) != 0 {
		t.Errorf("%d, %d and %d lists are left", len(s.subscriptions), len(s.followers), len(s.admins))
	}
}

// TestTogether_WaitsEndAtOneInstant of each step, and not too early.
func TestTogether_WaitsEndAtOneInstant(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	const step = 250 * time.Millisecond
	for _, wait := range []time.Duration{0, 1, step - 1, step, 3*step + 1, 25 * time.Second} {
		before := time.Since(s.began)
		got := s.together(wait, step)
		after := time.Since(s.began)
		if instant := (after + got).Truncate(step); instant < before+got || got < wait || got > wait+step {
			t.Errorf("%v becomes %v, from %v to %v", wait, got, before, after)
		}
		if got := s.together(wait, 0); got != wait {
			t.Errorf("without a step %v becomes %v", wait, got)
		}
	}
}
