package metrics

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/store"
)

// watched are metrics with two pools that are busy in different ways.
func watched() Metrics {
	return New("127.0.0.1:0", Options{
		Build: map[string]string{"version": "1.2.3"},
		Pools: func() []store.PoolStats {
			return []store.PoolStats{
				{Name: "reads", InUse: 3, Idle: 4, Max: 10, Acquired: 8, TimedOut: 2, Opened: 6, Waits: 5, Waited: 1500 * time.Millisecond},
				{Name: "writes", Max: 9},
			}
		},
		AnswerKinds: []string{"compiled", "refused", "size"}, ErrorCodes: []string{"FORBIDDEN", "UNAVAILABLE"},
		Up:          func() map[string]bool { return map[string]bool{"reads": true, "listener": false} },
		Unannounced: func() int64 { return 4 }, Recalls: counts("true", 10), Unproven: func() (time.Duration, bool) { return 11 * time.Second, true },
		SignIns: counts("wrong", 7), Hashing: counts("login", 2), Throttled: counts("account", 12), Mails: counts("dropped", 3),
		Streams: counts("sse", 5), StreamCloses: counts("4401", 2),
		Subscriptions: func() int64 { return 6 }, Pushes: counts("live", 8),
		Feed: func() (int64, time.Duration) { return 9, 120 * time.Millisecond }, FeedResets: func() int64 { return 13 },
		Swept: func() (map[string]int64, time.Time) {
			return map[string]int64{"sessions": 14}, time.Unix(1_800_000_000, 0)
		},
		Archive:    func() *store.Archive { return &store.Archive{Failed: 15, Age: time.Minute} },
		LogDropped: func() int64 { return 16 },
		LastBackup: func() time.Time { return time.Time{} },
		Disk:       func() (free, size int64, err error) { return 7 << 30, 8 << 30, nil }, ExecutableDeleted: func() bool { return true },
		CertificateEnds: func() time.Time { return time.Unix(1_900_000_000, 0) },
	})
}

// counts is a source with one label.
func counts(label string, n int64) func() map[string]int64 {
	return func() map[string]int64 { return map[string]int64{label: n} }
}

func ask(t *testing.T, m Metrics, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	m.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody))
	return w
}

// series has the value of each line of a scrape.
func series(t *testing.T, m Metrics) map[string]string {
	t.Helper()
	w := ask(t, m, http.MethodGet, "/metrics")
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Fatalf("%d %s: %s", w.Code, kind, w.Body)
	}
	found := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if at := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			found[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	return found
}

func wantSeries(t *testing.T, m Metrics, want map[string]string) {
	t.Helper()
	got := series(t, m)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestMetrics_AnswersGetMetricsAndNothingElse(t *testing.T) {
	t.Parallel()
	m := watched()
	for _, c := range []struct {
		method, target string
		status         int
	}{
		{http.MethodGet, "/metrics", http.StatusOK},
		{http.MethodPost, "/metrics", http.StatusMethodNotAllowed},
		{http.MethodGet, "/metrics/", http.StatusNotFound},
		{http.MethodGet, "/", http.StatusNotFound},
		{http.MethodGet, "/debug/pprof/", http.StatusNotFound},
	} {
		if got := ask(t, m, c.method, c.target).Code; got != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.target, got, c.status)
		}
	}
}

func TestMetrics_HaveTheirSeriesBeforeTheFirstRequest(t *testing.T) {
	t.Parallel()
	wantSeries(t, watched(), map[string]string{
		`caregraph_queries_total{answered="compiled"}`:                               "0",
		`caregraph_http_requests_total{kind="graphql",method="GET",status="5xx"}`:    "0",
		`caregraph_http_request_duration_seconds_count`:                              "0",
		`caregraph_database_connections_in_use{pool="reads"}`:                        "3",
		`caregraph_database_connections_idle{pool="reads"}`:                          "4",
		`caregraph_database_connections_max{pool="reads"}`:                           "10",
		`caregraph_database_waits_total{pool="reads"}`:                               "5",
		`caregraph_database_wait_seconds_total{pool="reads"}`:                        "1.5",
		`caregraph_database_connections_max{pool="writes"}`:                          "9",
		`caregraph_http_requests_total{kind="graphql",method="other",status="none"}`: "0",
		`caregraph_http_requests_total{kind="probe",method="GET",status="2xx"}`:      "0",
		`caregraph_graphql_operations_total{outcome="failed",type="mutation"}`:       "0",
		`caregraph_errors_total{code="UNAVAILABLE"}`:                                 "0",
		`caregraph_build_info{version="1.2.3"}`:                                      "1",
		`caregraph_database_up{pool="reads"}`:                                        "1",
		`caregraph_database_up{pool="listener"}`:                                     "0",
		`caregraph_database_acquired_total{pool="reads"}`:                            "8",
		`caregraph_database_acquire_timeouts_total{pool="reads"}`:                    "2",
		`caregraph_database_connections_opened_total{pool="reads"}`:                  "6",
		`caregraph_sessions_unannounced_total`:                                       "4",
		`caregraph_sign_ins_total{outcome="wrong"}`:                                  "7",
		`caregraph_mails_total{outcome="dropped"}`:                                   "3",
		`caregraph_hash_queue{purpose="login"}`:                                      "2",
		`caregraph_subscriptions`:                                                    "6",
		`caregraph_pushes_total{field="live"}`:                                       "8",
		`caregraph_feed_changes_total`:                                               "9",
		`caregraph_feed_lag_seconds`:                                                 "0.12",
		`caregraph_feed_resets_total`:                                                "13",
		`caregraph_streams{transport="sse"}`:                                         "5",
		`caregraph_database_statements_total{pool="reads"}`:                          "0",
		`caregraph_database_round_trip_seconds_count{pool="writes"}`:                 "0",
		`caregraph_hash_wait_seconds_count{purpose="register"}`:                      "0",
		`caregraph_sessions_recalled_total{certain="true"}`:                          "10",
		`caregraph_listener_proven_seconds`:                                          "11",
		`caregraph_throttled_total{by="account"}`:                                    "12",
		`caregraph_purged_rows_total{table="sessions"}`:                              "14",
		`caregraph_purge_last_success_timestamp_seconds`:                             "1.8e+09",
		`caregraph_backup_last_success_timestamp_seconds`:                            "0",
		`caregraph_backup_archive_failed_total`:                                      "15",
		`caregraph_backup_archive_age_seconds`:                                       "60",
		`caregraph_log_dropped_total`:                                                "16",
		`caregraph_disk_size_bytes`:                                                  "8.589934592e+09",
		`caregraph_tls_not_after_timestamp_seconds`:                                  "1.9e+09",
		`caregraph_stream_closes_total{code="4401"}`:                                 "2",
		`caregraph_disk_free_bytes`:                                                  "7.516192768e+09",
		`caregraph_postgres_executable_deleted`:                                      "1",
		`caregraph_database_failures_total{cause="connect"}`:                         "0",
	})
	got := series(t, watched())
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes"} {
		if got[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestAnswered_CountsWhatIsUnknownAsOther(t *testing.T) {
	t.Parallel()
	m := watched()
	for _, how := range []string{"compiled", "compiled", "size", "User.madeUp", ""} {
		m.Answered(t.Context(), "query", how)
	}
	m.Answered(t.Context(), "mutation", "size")
	m.Answered(t.Context(), "mutation", "login")
	wantSeries(t, m, map[string]string{
		`caregraph_queries_total{answered="compiled"}`: "2",
		`caregraph_queries_total{answered="size"}`:     "1",
		`caregraph_queries_total{answered="refused"}`:  "0",
		`caregraph_queries_total{answered="other"}`:    "2",

		`caregraph_mutations_total{answered="compiled"}`: "0",
		`caregraph_mutations_total{answered="size"}`:     "1",
		`caregraph_mutations_total{answered="other"}`:    "1",
	})
}

func TestFailed_CountsByCause(t *testing.T) {
	t.Parallel()
	m := watched()
	for _, cause := range []store.Cause{store.CausePool, store.CauseTimeout, store.CauseTimeout, "made up"} {
		m.Failed(cause)
	}
	wantSeries(t, m, map[string]string{
		`caregraph_database_failures_total{cause="pool"}`:     "1",
		`caregraph_database_failures_total{cause="timeout"}`:  "2",
		`caregraph_database_failures_total{cause="shutdown"}`: "0",
		`caregraph_database_failures_total{cause="other"}`:    "1",
	})
}

func TestOperation_CountsOutcomesAndCodes(t *testing.T) {
	t.Parallel()
	m := watched()
	m.Operation("query", "ok", nil)
	m.Operation("query", "failed", []string{"UNAVAILABLE", "UNAVAILABLE"})
	m.Operation("mutation", "partial", []string{"FORBIDDEN", "MADE_UP"})
	m.Operation("", "refused", []string{"FORBIDDEN"})
	wantSeries(t, m, map[string]string{
		`caregraph_graphql_operations_total{outcome="ok",type="query"}`:         "1",
		`caregraph_graphql_operations_total{outcome="failed",type="query"}`:     "1",
		`caregraph_graphql_operations_total{outcome="partial",type="mutation"}`: "1",
		`caregraph_graphql_operations_total{outcome="refused",type="other"}`:    "1",
		`caregraph_errors_total{code="UNAVAILABLE"}`:                            "2",
		`caregraph_errors_total{code="FORBIDDEN"}`:                              "2",
		`caregraph_errors_total{code="other"}`:                                  "1",
	})
}

func TestDone_CountsByMethodAndClass(t *testing.T) {
	t.Parallel()
	m := watched()
	m.Done(http.MethodPost, "graphql", 200, 2*time.Millisecond)
	m.Done(http.MethodPost, "graphql", 299, 30*time.Millisecond)
	m.Done(http.MethodGet, "graphql", 503, 20*time.Second)
	m.Done("other", "graphql", 0, 0)
	m.Done("ASHA", "graphql", 999, 0)
	m.Done(http.MethodHead, "graphql", -1, 0)
	m.Done(http.MethodGet, "probe", 200, time.Hour) // has no place among the durations
	wantSeries(t, m, map[string]string{
		`caregraph_http_requests_total{kind="graphql",method="POST",status="2xx"}`:   "2",
		`caregraph_http_requests_total{kind="graphql",method="GET",status="5xx"}`:    "1",
		`caregraph_http_requests_total{kind="graphql",method="other",status="none"}`: "1",
		`caregraph_http_requests_total{kind="graphql",method="other",status="5xx"}`:  "1",
		`caregraph_http_requests_total{kind="graphql",method="HEAD",status="none"}`:  "1",
		`caregraph_http_request_duration_seconds_bucket{le="0.0025"}`:                "4",
		`caregraph_http_request_duration_seconds_bucket{le="0.05"}`:                  "5",
		`caregraph_http_request_duration_seconds_bucket{le="15"}`:                    "5",
		`caregraph_http_request_duration_seconds_bucket{le="+Inf"}`:                  "6",
		`caregraph_http_request_duration_seconds_count`:                              "6",
	})
}

func TestMetrics_CountingAllocatesNothing(t *testing.T) {
	m := watched()
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		m.Answered(ctx, "query", "compiled")
		m.Answered(ctx, "mutation", "compiled")
		m.Operation("query", "ok", nil)
		m.Done(http.MethodPost, "graphql", http.StatusOK, time.Millisecond)
		m.Trip(ctx, store.Trip{Pool: "reads", Count: 2, Took: time.Millisecond})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkMetrics is what a query pays to be counted.
func BenchmarkMetrics(b *testing.B) {
	m := watched()
	b.Run("Answered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Answered(b.Context(), "query", "compiled")
		}
	})
	b.Run("Done", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Done(http.MethodPost, "graphql", http.StatusOK, 3*time.Millisecond)
		}
	})
}
