package streams

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/httpd"
)

// recorded is an output that fails the test if it is used after Close.
type recorded struct {
	t      *testing.T
	closed int
	texts  []string
}

func (r *recorded) SetWriteDeadline(time.Time) error {
	r.wantOpen()
	return nil
}

func (r *recorded) Write(p []byte) (int, error) {
	r.wantOpen()
	r.texts = append(r.texts, string(p))
	return len(p), nil
}

func (r *recorded) Close() error {
	r.wantOpen()
	r.closed++
	return nil
}

func (r *recorded) wantOpen() {
	r.t.Helper()
	if r.closed > 0 {
		r.t.Error("the output is used after Close")
	}
}

func newEvents(t *testing.T, s *Streams) *events {
	t.Helper()
	return &events{Streams: s, stream: httpd.NewStream(t.Context(), 0), account: 1, id: "one"}
}

// TestEvents_NothingIsWrittenAfterTheEnd: an HTTP server takes the output back then.
func TestEvents_NothingIsWrittenAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := New(Options{Log: slog.New(slog.DiscardHandler)})
	e, out := newEvents(t, s), &recorded{t: t}
	if e.write(comment) {
		t.Error("something was written before there is an output")
	}
	e = newEvents(t, s)
	if !e.setOut(out) || !e.write(comment) {
		t.Error("nothing was written to an open stream")
	}
	e.end(codeGoingAway)
	if e.write(comment) || e.writeNow(comment) == nil {
		t.Error("something was written after the end")
	}
	if len(out.texts) != 1 || out.closed != 1 {
		t.Errorf("%d texts, closed %d times", len(out.texts), out.closed)
	}
	late := &recorded{t: t}
	if e.setOut(late) || late.closed != 1 {
		t.Errorf("an output that comes after the end is closed %d times", late.closed)
	}
}

// TestEvents_AFailedWriteEndsTheStream, once.
func TestEvents_AFailedWriteEndsTheStream(t *testing.T) {
	t.Parallel()
	e := newEvents(t, New(Options{Log: slog.New(slog.DiscardHandler)}))
	e.setOut(failing{})
	if e.write(comment) || !e.isOver {
		t.Error("the stream is open")
	}
}

type failing struct{}

func (failing) SetWriteDeadline(time.Time) error { return nil }
func (failing) Write([]byte) (int, error)        { return 0, errors.New("the client has gone") }
func (failing) Close() error                     { return nil }

// TestRemember_NotWhatHasEnded: the client may leave a subscription while it begins.
func TestRemember_NotWhatHasEnded(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.remember(&subscription{streams: s, account: 1, ended: true})
	if n := s.Subscriptions(); n != 0 {
		t.Errorf("%d subscriptions are open", n)
	}
}

// TestAdmit_OneAddressLeavesRoom for the clients of others.
func TestAdmit_OneAddressLeavesRoom(t *testing.T) {
	t.Parallel()
	greedy, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for {
		s, admitted := New(Options{}), 0
		s.admit(other)
		began := s.second
		for range 2 * maxUpgrades {
			if s.admit(greedy) == 0 {
				admitted++
			}
		}
		isAdmitted := s.admit(other) == 0
		if s.second != began {
			continue // the next second has begun
		}
		if admitted != maxUpgrades/2 || !isAdmitted {
			t.Errorf("%d of one address, another one admitted: %t", admitted, isAdmitted)
		}
		return
	}
}

// TestEnter_OneAnswerOfAnAccountAtATime: an account with many subscriptions takes one place.
func TestEnter_OneAnswerOfAnAccountAtATime(t *testing.T) {
	t.Parallel()
	s := New(Options{Reads: 2})
	leave := s.enter(1)
	second := make(chan func())
	go func() { second <- s.enter(1) }()
	s.enter(2)() // has a place
	select {
	case <-second:
		t.Error("the account has two turns")
	default:
	}
	leave()
	(<-second)()
	if len(s.turns) != 0 || len(s.reads) != 0 {
		t.Errorf("%d turns and %d places are taken", len(s.turns), len(s.reads))
	}
}
