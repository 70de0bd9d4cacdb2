package pgserver

import "testing"

// Under systemd other commands find the socket in the directory of the service, not in
// its own /tmp.
func TestSocketParents_PreferTheDirectoryOfTheService(t *testing.T) {
	t.Setenv("RUNTIME_DIRECTORY", "/run/caregraph")
	if got := (cluster{}).socketParents(); got[0] != "/run/caregraph" || len(got) != 3 {
		t.Errorf("%q", got)
	}
	if got := (cluster{throwaway: true, dataDir: "/d"}).socketParents(); got[0] != "/d" {
		t.Errorf("for tests: %q", got)
	}
	t.Setenv("RUNTIME_DIRECTORY", "")
	if got := (cluster{}).socketParents(); got[0] != "/tmp" {
		t.Errorf("without systemd: %q", got)
	}
}
