package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// released is the commit of version 0.1.0, which has no tag.
const released = "1e16843"

// releasedBinary builds version 0.1.0 from the history, or returns false if this copy
// of the repository has none.
func releasedBinary(t *testing.T) (path string, ok bool) {
	t.Helper()
	dir := t.TempDir()
	archive := exec.CommandContext(t.Context(), "sh", "-c", "git archive "+released+" | tar -x -C "+dir)
	archive.Dir = root
	if _, err := archive.CombinedOutput(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		return "", false
	}
	path = filepath.Join(dir, "caregraph")
	build := exec.CommandContext(t.Context(), "go", "build", "-pgo=off", "-buildvcs=false", "-o", path, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build version 0.1.0: %v\n%s", err, out)
	}
	return path, true
}

// While servers are replaced one by one, those of the release before run on the new
// schema. Without the history, TestMigrations_OnlyExpandTheReleasedSchema of store is
// the only test of this.
func TestMigrate_OldBinaryWorksOnNewSchema(t *testing.T) {
	t.Parallel()
	old, ok := releasedBinary(t)
	if !ok {
		t.Log("this copy of the repository does not have the commit of version 0.1.0")
		return
	}
	data := dataDir(t)
	current := start(t, data)
	asha := current.register("asha")
	current.must(asha, createDocument, map[string]any{"name": "Arjun Rao"})
	current.stop()

	before := startBinary(t, old, nil, data)
	before.must(asha, createDocument, map[string]any{"name": "Meera Iyer"})
	if names := before.names(asha); len(names) != 2 {
		t.Errorf("version 0.1.0 sees %v", names)
	}
	if _, failure := runBinary(t, old, "", "fill", "--url", before.base); failure != "" {
		t.Errorf("version 0.1.0 cannot be filled: %s", failure)
	}
	const walk = `query { patients(first: 5, search: "meera", orderBy: {field: NAME, direction: ASC}) { totalCount
		edges { node { id name mappings(first: 2) { totalCount } } } } doctors(first: 1) { totalCount } specializations { name } }`
	if total := at(t, before.must(asha, walk, nil), "patients", "totalCount"); total != 1.0 {
		t.Errorf("version 0.1.0 finds %v patients", total)
	}
	before.stop()

	again := start(t, data)
	if names := again.names(asha); len(names) != 2 {
		t.Errorf("the new server sees %v", names)
	}
	again.exec("INSERT INTO bun_migrations (name, group_id) VALUES ('29990101000000', 99)")
	again.exec("INSERT INTO schema_compatibility VALUES ('29990101000000', '29990101000000')")
	again.stop()
	if _, failure := run(t, "", "serve", "--addr", "127.0.0.1:0", "--data", data); !strings.Contains(failure, "the database is newer than this server") {
		t.Errorf("on a database that is too new: %q", failure)
	}
}

// exec runs a statement in the private database of the server.
func (p *program) exec(statement string) {
	p.t.Helper()
	url, running, err := pgserver.Attach(p.data)
	if err != nil || !running {
		p.t.Fatalf("running is %v: %v", running, err)
	}
	conn, err := pgx.Connect(p.t.Context(), url)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(p.t.Context())) }()
	if _, err := conn.Exec(p.t.Context(), statement); err != nil {
		p.t.Fatal(err)
	}
}
