package e2e

import (
	"strings"
	"testing"
)

func TestServer_AdministratorIsMadeBesideTheRunningServer(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	out, failure := run(t, "Strong&Long1\n", "admin", "create", "--email", "boss@clinic.example", "--data", server.data)
	if failure != "" {
		t.Fatal(failure)
	}
	data := server.must("", `mutation { login(input: {email: "boss@clinic.example", password: "Strong&Long1"}) { user { role } } }`, nil)
	if role := at(t, data, "login", "user", "role"); role != "ADMIN" {
		t.Errorf("role is %v", role)
	}
	if strings.Contains(out, "Strong&Long1") {
		t.Error("the password was printed")
	}
	server.stop()
}

// Without the server's --data a command writes to another database: it says so.
func TestServer_CommandsNameTheDatabase(t *testing.T) {
	t.Parallel()
	server, other := start(t, dataDir(t)), dataDir(t)
	const warning = "a server runs on another data directory"
	for _, command := range [][]string{
		{"admin", "create", "--email", "boss@clinic.example"}, {"accounts", "create", "--email", "asha@clinic.example"}, {"migrate"},
	} {
		out, failure := run(t, "Secure@123", append(command, "--data", other)...)
		if failure != "" || !strings.Contains(out, "The database is in "+other+".\n") {
			t.Errorf("%s: %s, %s", command[0], failure, out)
		}
		if !strings.Contains(out, warning) || !strings.Contains(out, server.data) {
			t.Errorf("%s does not warn about %s: %s", command[0], server.data, out)
		}
		out, failure = run(t, "Secure@123", append(command, "--data", server.data)...)
		if failure != "" || !strings.Contains(out, "The database is in "+server.data+".\n") || strings.Contains(out, warning) {
			t.Errorf("%s on the server's own data: %s, %s", command[0], failure, out)
		}
	}
	server.stop()
}
