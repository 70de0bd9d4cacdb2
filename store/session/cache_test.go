package session

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

// TestCache_AsksAgain: no entry is certain for longer than half a minute, in spite of
// pings, nor after the session has expired.
func TestCache_AsksAgain(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{10 * time.Second, 24 * time.Hour} {
		l := NewCache()
		started := l.Epoch()
		l.Put(started, "phone", Result{Viewer: &model.Viewer{UserID: 1}, Left: left})
		l.setValidUntil(started.at.Add(time.Hour))
		end := min(left, maxAge)
		for at, want := range map[time.Duration]bool{0: true, end - 1: true, end: false} {
			if v, certain := l.Get("phone", started.at.Add(at)); v == nil || certain != want {
				t.Errorf("%v after it was asked for, with %v left: certain %t", at, left, certain)
			}
		}
	}
}

// TestCache_CountsWhatIsCertain, and for how long nothing could be.
func TestCache_CountsWhatIsCertain(t *testing.T) {
	t.Parallel()
	l := NewCache()
	if age := l.Unproven(); age != 0 {
		t.Errorf("nobody has asked, for %v", age)
	}
	started := l.Epoch()
	l.Put(started, "phone", Result{Viewer: &model.Viewer{UserID: 1}, Left: time.Hour})
	minuteAgo := Now().Add(-time.Minute)
	l.Get("phone", minuteAgo)
	l.Get("tablet", Now())
	if age := l.Unproven(); age < time.Minute || age > 2*time.Minute {
		t.Errorf("a minute without a proof is %v", age)
	}
	l.setValidUntil(started.at.Add(time.Hour))
	if age := l.Unproven(); age != 0 {
		t.Errorf("after a proof it is %v", age)
	}
	l.Get("phone", started.at)
	if certain, uncertain := l.Recalls(); certain != 1 || uncertain != 2 {
		t.Errorf("%d are certain, %d are not", certain, uncertain)
	}
}

func TestCache_Invalidate(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]bool{ // whether phone, tablet of 1 and phone of 2 are forgotten
		"one": {true, false, false}, "user 1": {true, true, false}, "user 3": {false, false, false},
		"": {true, true, true}, "user x": {true, true, true}, "nobody's": {false, false, false},
	} {
		l := NewCache()
		ids := []string{"one", "two", "three"}
		for i, id := range ids {
			l.Put(l.Epoch(), id, Result{Viewer: &model.Viewer{UserID: int64(1 + i/2)}, Left: time.Minute})
		}
		l.invalidate(message)
		for i, id := range ids {
			if v, _ := l.Get(id, Now()); (v == nil) != want[i] {
				t.Errorf("%q: %s is remembered: %t", message, id, v != nil)
			}
		}
	}
}

// TestCache_MachineThatSlept: a server asks again after a suspension, in which its own clock
// stands still, and also if the clock on the wall was set back.
func TestCache_MachineThatSlept(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		awake, wall time.Duration // since the lookup
		want        bool
	}{
		"awake":                    {time.Second, time.Second, true},
		"slept for a second":       {time.Second, 2 * time.Second, true},
		"slept for an hour":        {time.Second, time.Hour, false},
		"the clock was set back":   {time.Second, -time.Hour, true},
		"set back, too long awake": {time.Minute, -time.Hour, false},
	} {
		for limit, setUp := range map[string]func(*Cache, Epoch){
			"the last ping": func(c *Cache, started Epoch) { c.setValidUntil(started.at.Add(heartbeatTTL)) },
			"the entry":     func(c *Cache, started Epoch) { c.setValidUntil(started.at.Add(24 * time.Hour)) },
		} {
			c := NewCache()
			started := c.Epoch()
			c.Put(started, "phone", Result{Viewer: &model.Viewer{UserID: 1}, Left: 10 * time.Second})
			setUp(c, started)
			now := Instant{started.at.awake.Add(tc.awake), started.at.wall.Add(tc.wall)}
			if v, certain := c.Get("phone", now); v == nil || certain != tc.want {
				t.Errorf("%s, limited by %s: certain %t, want %t", name, limit, certain, tc.want)
			}
		}
	}
}
