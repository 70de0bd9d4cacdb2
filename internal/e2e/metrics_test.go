package e2e

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scrape asks as Prometheus does.
func (p *program) scrape() string {
	p.t.Helper()
	status, text, _ := strings.Cut(p.fetch(p.metrics), "\n")
	if status != "200 OK" {
		p.t.Fatal(status)
	}
	return text
}

func TestServer_CountsForOperatorsAndTellsNothingOfAnybody(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	token := server.register("rahul")
	server.must(token, createDocument, map[string]any{"name": "Arjun Sharma"})
	server.must(token, `{ patient(id: "pat_1") { name } }`, nil)
	server.must(token, `{ patients { nodes { name } } }`, nil)
	server.must(token, `{ __schema { queryType { name } } }`, nil)
	if _, err := server.ask("", `{ patients { nodes { name } } }`, nil); err == nil {
		t.Error("patients are given to nobody")
	}
	if got := server.get("/metrics"); !strings.HasPrefix(got, "404") {
		t.Errorf("the address of the API answers /metrics: %.200s", got)
	}

	got := server.scrape()
	for series, want := range map[string]int{
		`caregraph_queries_total{answered="compiled"}`:                             2,
		`caregraph_queries_total{answered="introspection"}`:                        1,
		`caregraph_queries_total{answered="unauthenticated"}`:                      1,
		`caregraph_queries_total{answered="other"}`:                                0,
		`caregraph_mutations_total{answered="compiled"}`:                           1,
		`caregraph_mutations_total{answered="other"}`:                              1,
		`caregraph_http_requests_total{kind="graphql",method="POST",status="2xx"}`: 6,
		`caregraph_http_requests_total{kind="page",method="GET",status="4xx"}`:     1,
		`caregraph_http_request_duration_seconds_count`:                            7,
		`caregraph_database_connections_max{pool="reads"}`:                         min(10, 2*runtime.NumCPU()+1),
		`caregraph_database_connections_in_use{pool="writes"}`:                     0,
		`caregraph_http_request_duration_seconds_bucket{le="+Inf"}`:                7,
		`caregraph_http_requests_total{kind="page",method="other",status="none"}`:  0,
		`caregraph_graphql_operations_total{outcome="ok",type="query"}`:            3,
		`caregraph_graphql_operations_total{outcome="ok",type="mutation"}`:         2,
		`caregraph_graphql_operations_total{outcome="refused",type="query"}`:       1,
		`caregraph_errors_total{code="UNAUTHENTICATED"}`:                           1,
		`caregraph_database_up{pool="writes"}`:                                     1,
		`caregraph_database_up{pool="listener"}`:                                   1,
		`caregraph_sign_ins_total{outcome="ok"}`:                                   0,
		`caregraph_sessions_unannounced_total`:                                     0,
		`caregraph_postgres_executable_deleted`:                                    0,
	} {
		if line := fmt.Sprintf("\n%s %d\n", series, want); !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", strings.TrimSpace(line), ofOurs(got))
		}
	}
	// The other half is for PostgreSQL again, some time after the last write.
	half := fmt.Sprintf("\ngo_sched_gomaxprocs_threads %d\n", halfOfProcessors())
	if !server.scrapes(half) {
		t.Errorf("no line %q a while after the last write", half)
	}
	for _, personal := range []string{"rahul", "Arjun", "pat_", "/graphql", "127.0.0.1"} {
		if strings.Contains(got, personal) {
			t.Errorf("the metrics hold %q", personal)
		}
	}
	server.stop()
}

// scrapes reports whether the metrics contain a text within ten seconds.
func (p *program) scrapes(text string) bool {
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); {
		if strings.Contains(p.scrape(), text) {
			return true
		}
	}
	return false
}

// TestServer_HashesBesideRequests: who reads does not wait for who signs in.
func TestServer_HashesBesideRequests(t *testing.T) {
	t.Parallel()
	if os.Getenv("GOMAXPROCS") != "" {
		t.Skip("GOMAXPROCS decides")
	}
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	var done atomic.Bool
	var gone sync.WaitGroup
	gone.Go(func() {
		for i := 0; !done.Load(); i++ {
			// A sign-in writes nothing if it is refused, so nothing else needs processors.
			_, _ = server.ask("", `mutation ($email: EmailAddress!) { login(input: {email: $email, password: "wrong"}) { userErrors { code } } }`,
				map[string]any{"email": fmt.Sprintf("user%d@clinic.example", i)})
		}
	})
	more := fmt.Sprintf("\ngo_sched_gomaxprocs_threads %d\n", halfOfProcessors()+1)
	seen := server.scrapes(more)
	done.Store(true)
	gone.Wait()
	if !seen {
		t.Error("passwords are not hashed on a processor more")
	}
	server.stop()
}

func halfOfProcessors() int {
	if os.Getenv("GOMAXPROCS") != "" {
		return runtime.GOMAXPROCS(0)
	}
	return (runtime.GOMAXPROCS(0) + 1) / 2
}

func ofOurs(text string) string {
	return strings.Join(regexp.MustCompile(`(?m)^caregraph_.*$`).FindAllString(text, -1), "\n")
}

func TestRun_NamesTheSettingOfATakenMetricsPort(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, failure := run(t, "", "--data", dataDir(t), "--addr", "127.0.0.1:0", "--metrics-addr", taken.Addr().String())
	if !strings.HasPrefix(failure, "caregraph: --metrics-addr ") || !strings.Contains(failure, "is in use") {
		t.Errorf("got %q", failure)
	}
}

func TestServer_MetricsHaveTheFreeDisk(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	_, after, found := strings.Cut(server.scrape(), "\ncaregraph_disk_free_bytes ")
	value, _, _ := strings.Cut(after, "\n")
	if free, err := strconv.ParseFloat(value, 64); !found || err != nil || free <= 0 {
		t.Errorf("the free disk is %q", value)
	}
	server.stop()
}
