package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// sql runs statements in the private PostgreSQL of the server.
func (p *program) sql(text string) {
	p.t.Helper()
	url, _, err := pgserver.Attach(p.data)
	if err != nil {
		p.t.Fatal(err)
	}
	conn, err := pgx.Connect(p.t.Context(), url)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := conn.Exec(p.t.Context(), text); err != nil {
		p.t.Fatal(err)
	}
	if err := conn.Close(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// TestServer_LogsAndCountsWhyItIsUnavailable, without the row.
func TestServer_LogsAndCountsWhyItIsUnavailable(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0")
	token := server.register("rahul")
	server.sql(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		RAISE EXCEPTION 'cannot write %', NEW USING ERRCODE = '53100', DETAIL = NEW::text; END $$;
		CREATE TRIGGER fail BEFORE INSERT ON patients FOR EACH ROW EXECUTE FUNCTION fail()`)
	if _, err := server.ask(token, createDocument, map[string]any{"name": "Arjun Sharma"}); err == nil {
		t.Error("the patient was created")
	}
	if line := `caregraph_database_failures_total{cause="resources"} 1`; !strings.Contains(server.scrape(), line) {
		t.Errorf("no line %q", line)
	}
	for _, line := range []string{
		`caregraph_errors_total{code="UNAVAILABLE"} 1`, `caregraph_graphql_operations_total{outcome="failed",type="mutation"} 1`,
		`caregraph_database_up{pool="writes"} 1`,
	} {
		if !strings.Contains(server.scrape(), line) {
			t.Errorf("no line %q", line)
		}
	}
	server.kill() // then the log is complete
	log := server.log.String()
	if want := `database.cause=resources database.operation="create patient" database.sqlstate=53100`; strings.Count(log, want) != 1 {
		t.Errorf("no line with %s in\n%s", want, log)
	}
	if strings.Contains(log, "Arjun") || strings.Contains(log, "cannot write") {
		t.Errorf("the log has the row:\n%s", log)
	}
}

// TestServer_ShowsThatTheDatabaseIsAway in its metrics and at /ready, within a second.
func TestServer_ShowsThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	postgres, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: dataDir(t), Throwaway: true})
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() { _ = postgres.Stop(context.WithoutCancel(t.Context())) })
	t.Cleanup(stop)
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0", "--database-url", postgres.URL())
	token := server.register("rahul")
	if ready := server.get("/ready"); !strings.HasPrefix(ready, "200") {
		t.Errorf("/ready before: %s", ready)
	}
	stop()
	if _, err := server.ask(token, `{ patients { totalCount } }`, nil); err == nil {
		t.Error("there is an answer without a database")
	}
	if ready := server.get("/ready"); !strings.HasPrefix(ready, "503") {
		t.Errorf("/ready: %s", ready)
	}
	got := server.scrape()
	for _, line := range []string{
		`caregraph_errors_total{code="UNAVAILABLE"} 1`, `caregraph_graphql_operations_total{outcome="failed",type="query"} 1`,
		`caregraph_database_up{pool="reads"} 0`, `caregraph_database_up{pool="writes"} 0`, `caregraph_database_up{pool="listener"} 0`,
		`caregraph_http_requests_total{kind="probe",method="GET",status="5xx"} 1`,
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no line %q in\n%s", line, ofOurs(got))
		}
	}
}
