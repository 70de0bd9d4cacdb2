package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServer_RotatedKeyKeepsEverybodySignedIn: two servers on one database share the key
// file. One is restarted after the rotation. Tokens of either work on both.
func TestServer_RotatedKeyKeepsEverybodySignedIn(t *testing.T) {
	t.Parallel()
	one := start(t, dataDir(t))
	keys := filepath.Join(one.data, "keys.json")
	flags := []string{"--keys", keys, "--database-url", one.databaseURL()}
	two := start(t, one.data, flags...)
	old := one.register("rahul")
	before, err := os.ReadFile(keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, failure := run(t, "", "keys", "rotate", "--data", one.data); failure != "" {
		t.Fatal(failure)
	}
	after, err := os.ReadFile(keys)
	if err != nil || bytes.Equal(before, after) {
		t.Fatalf("the keys were not rotated: %v", err)
	}
	late := one.register("meera") // signed by the old key
	two.stop()
	two = start(t, one.data, flags...)
	fresh := two.register("priya")
	for _, server := range []*program{one, two} {
		for _, token := range []string{old, late, fresh} {
			server.must(token, `{ me { username } }`, nil)
		}
	}
	if a, b := one.get("/.well-known/jwks.json"), two.get("/.well-known/jwks.json"); a != b {
		t.Errorf("they publish different keys: %s, %s", a, b)
	}
	two.stop()
	one.stop()
}

// TestServer_MissingKeyFile: the first start says nothing about it. A later one warns in
// one line that everyone is signed out.
func TestServer_MissingKeyFile(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	token := server.register("rahul")
	server.stop()
	if err := os.Remove(filepath.Join(server.data, "keys.json")); err != nil {
		t.Fatal(err)
	}
	server = start(t, server.data)
	if _, err := server.ask(token, `{ me { username } }`, nil); err == nil {
		t.Error("the old token is good")
	}
	server.kill()
	var warnings []string
	for line := range strings.Lines(server.log.String()) {
		if strings.Contains(line, "level=WARN") {
			warnings = append(warnings, line)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "signed out") || !strings.Contains(warnings[0], "keys.json") {
		t.Errorf("the warnings are %q", warnings)
	}
}
