package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// operate runs a command for accounts and returns its standard output and its exit code.
func operate(t *testing.T, data string, args ...string) (out string, code int) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, append(append([]string{"accounts"}, args...), "--data", data)...)
	cmd.Env = cleanEnv()
	text, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(failed.Stderr), failed.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text), 0
}

// listed returns the usernames of accounts list --json.
func listed(t *testing.T, data string, args ...string) (names []string) {
	t.Helper()
	out, code := operate(t, data, append([]string{"list", "--json"}, args...)...)
	var accounts []struct{ Username string }
	if err := json.Unmarshal([]byte(out), &accounts); err != nil || code != 0 {
		t.Fatalf("%v, exit code %d: %s", err, code, out)
	}
	for _, a := range accounts {
		names = append(names, a.Username)
	}
	return names
}

// scalar returns the one text of a query of the server's database.
func (p *program) scalar(query string) (text string) {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.databaseURL())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = conn.Close(p.t.Context()) }()
	if err := conn.QueryRow(p.t.Context(), query).Scan(&text); err != nil {
		p.t.Fatal(err)
	}
	return text
}

func TestAccounts_AreManagedByTheOperator(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	asha := server.register("asha")
	rahul := server.register("rahul")
	if _, failure := run(t, "Strong&Long1\n", "admin", "create", "--email", "boss@clinic.example", "--username", "boss", "--data", server.data); failure != "" {
		t.Fatal(failure)
	}
	equal := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	equal("all accounts", listed(t, server.data), []string{"asha", "boss", "rahul"})
	equal("as many as there are", []string{server.scalar("SELECT count(*)::text FROM users")}, []string{"3"})
	equal("found", listed(t, server.data, "--search", "RAH"), []string{"rahul"})
	equal("administrators", listed(t, server.data, "--role", "admin"), []string{"boss"})
	if out, _ := operate(t, server.data, "show", "usr_1"); !strings.Contains(out, "asha@clinic.example") || !strings.HasPrefix(out, "ID ") {
		t.Errorf("show prints %s", out)
	}
	for _, refused := range [][]string{
		{"disable", "3", "--reason", "left"}, {"role", "3", "doctor"}, {"show", "99"}, {"disable", "99", "--reason", "left"}, {"disable", "1"}, {"role", "1", "boss"},
	} {
		if out, code := operate(t, server.data, refused...); code != 1 {
			t.Errorf("%v: exit code %d: %s", refused, code, out)
		}
	}
	if out, _ := operate(t, server.data, "disable", "3", "--reason", "left"); !strings.Contains(out, "It is the last active administrator.") {
		t.Errorf("the last administrator: %s", out)
	}
	if out, code := operate(t, server.data, "disable", "usr_1", "--reason", "left"); code != 0 || !strings.Contains(out, "usr_1 is disabled now.") {
		t.Errorf("disable: exit code %d: %s", code, out)
	}
	if _, err := server.ask(asha, "{ me { id } }", nil); err == nil || !strings.Contains(err.Error(), "UNAUTHENTICATED") {
		t.Errorf("a session of a disabled account: %v", err)
	}
	equal("inactive accounts", listed(t, server.data, "--inactive"), []string{"asha"})
	server.stop()

	for _, command := range [][]string{{"enable", "1"}, {"confirm", "1"}, {"role", "1", "admin"}} {
		if out, code := operate(t, server.data, command...); code != 0 {
			t.Errorf("%v without a server: exit code %d: %s", command, code, out)
		}
	}
	equal("administrators", listed(t, server.data, "--role", "admin"), []string{"asha", "boss"})
	server = start(t, server.data)
	events := server.scalar(`SELECT string_agg(concat_ws(' ', kind, client, reason, 'by ' || by_id), ', ' ORDER BY id)
		FROM security_events WHERE account_id = 1 AND kind <> 'SIGN_IN'`)
	equal("events", []string{events}, []string{"ACCOUNT_CREATED by 1, ACCOUNT_DISABLED cli left, ACCOUNT_ENABLED cli, EMAIL_CONFIRMED cli, ROLE_CHANGED cli"})
	patient := at(t, server.must(rahul, createDocument, map[string]any{"name": "Arjun"}), "createPatient", "patient", "id")
	for _, step := range []struct {
		args []string
		code int
	}{
		{[]string{"erase", "usr_2"}, 1},
		{[]string{"transfer", "--from", "usr_2", "--to", "usr_2", "--reason", "left"}, 1},
		{[]string{"transfer", "--from", "usr_2", "--to", "usr_1", "--reason", "left"}, 0},
		{[]string{"erase", "usr_2"}, 0},
		{[]string{"enable", "usr_2"}, 1},
	} {
		if out, code := operate(t, server.data, step.args...); code != step.code {
			t.Errorf("%v: exit code %d: %s", step.args, code, out)
		}
	}
	if owner := server.scalar("SELECT string_agg(created_by::text, ' ') FROM patients"); owner != "1" {
		t.Errorf("%v belongs to %s", patient, owner)
	}
	equal("all accounts", listed(t, server.data), []string{"asha", "boss", "erased-2"})
	server.stop()
}
