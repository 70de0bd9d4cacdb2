package store

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

// TestLiving_AsksAgain: nothing is relied on for longer than half a minute,
// whatever signals come back, nor after the session has expired.
func TestLiving_AsksAgain(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{10 * time.Second, 24 * time.Hour} {
		l := newLiving()
		asked := l.moment()
		l.learn(asked, "phone", &model.Viewer{UserID: 1}, left, 0)
		l.rely(asked.at.Add(time.Hour))
		end := min(left, mostCertain)
		for at, want := range map[time.Duration]bool{0: true, end - 1: true, end: false} {
			if v, certain := l.recall("phone", asked.at.Add(at)); v == nil || certain != want {
				t.Errorf("%v after it was asked for, with %v left: certain %t", at, left, certain)
			}
		}
	}
}

func TestLiving_Heard(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]bool{ // whether phone, tablet of 1 and phone of 2 are forgotten
		"one": {true, false, false}, "user 1": {true, true, false}, "user 3": {false, false, false},
		"": {true, true, true}, "user x": {true, true, true}, "nobody's": {false, false, false},
	} {
		l := newLiving()
		ids := []string{"one", "two", "three"}
		for i, id := range ids {
			l.learn(l.moment(), id, &model.Viewer{UserID: int64(1 + i/2)}, time.Minute, 0)
		}
		l.heard(message)
		for i, id := range ids {
			if v, _ := l.recall(id, time.Now()); (v == nil) != want[i] {
				t.Errorf("%q: %s is remembered: %t", message, id, v != nil)
			}
		}
	}
}
