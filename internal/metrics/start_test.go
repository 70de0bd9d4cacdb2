package metrics

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/store"
)

func TestMetrics_ZeroValueIsOff(t *testing.T) {
	t.Parallel()
	m := New("", Options{})
	if m.Answered != nil || m.Done != nil || m.Failed != nil {
		t.Error("something is counted")
	}
	addr, stop, err := m.Start(t.Context(), slog.New(slog.DiscardHandler))
	if addr != nil || err != nil {
		t.Errorf("it listens at %v, %v", addr, err)
	}
	stop()
}

func TestMetrics_HealthSaysWhichBuildItIs(t *testing.T) {
	t.Parallel()
	w := ask(t, watched(), http.MethodGet, "/health")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != `{"version":"1.2.3"}`+"\n" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestStart_ServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	addr, stop, err := watched().Start(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	end() // the API drains; its metrics are still to be had
	if status, err := scrape(t, addr); status != http.StatusOK || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	stop()
	if status, err := scrape(t, addr); err == nil {
		t.Errorf("it still answers, %d", status)
	}
}

func TestStart_StopWaitsForTheScrapeInFlight(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	m := New("127.0.0.1:0", Options{
		Pools: func() []store.PoolStats {
			close(began)
			<-release
			return nil
		},
		Up: none[bool], SignIns: none[int64], Hashing: none[int64], Throttled: none[int64], Mails: none[int64], Unannounced: zero,
		Recalls: none[int64], Unproven: func() (time.Duration, bool) { return 0, false },
		Streams: none[int64], StreamCloses: none[int64], FeedResets: zero, LogDropped: zero,
		Subscriptions: zero, Pushes: none[int64], Feed: func() (int64, time.Duration) { return 0, 0 },
		Swept:   func() (map[string]int64, time.Time) { return nil, time.Time{} },
		Archive: func() *store.Archive { return nil },
	})
	addr, stop, err := m.Start(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	answered, stopped := make(chan int), make(chan struct{})
	go func() {
		status, _ := scrape(t, addr)
		answered <- status
	}()
	<-began
	go func() {
		stop()
		close(stopped)
	}()
	for isListening(t, addr) { // until the shutdown has begun
	}
	select {
	case <-stopped:
		t.Error("stop did not wait")
	default:
	}
	close(release)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the scrape in flight got %d", status)
	}
	<-stopped
}

func TestStart_NamesTheFlagWhenTheAddressIsTaken(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	addr, stop, err := watched().Start(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	_, _, err = New(addr.String(), Options{}).Start(t.Context(), log)
	if err == nil || !strings.HasPrefix(err.Error(), "--metrics-addr "+addr.String()+" is in use: ") {
		t.Errorf("got %v", err)
	}
}

// scrape returns an error if nobody answers.
func scrape(t *testing.T, addr net.Addr) (status int, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr.String()+"/metrics", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

func isListening(t *testing.T, addr net.Addr) bool {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", addr.String())
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func zero() int64 { return 0 }

func none[V any]() map[string]V { return nil }
