package backup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/testutil"
)

func TestUpgrade_MovesEverythingAndKeepsTheOldCluster(t *testing.T) {
	t.Parallel()
	c := newClinic(t, nil)
	u := upgrade{c.dir, pgserver.Places{}, pgserver.Places{}, quiet()}
	_, err := u.run(t.Context(), false)
	wantError(t, err, "in use by another server")
	c.stop()
	_, err = u.run(t.Context(), true)
	wantError(t, err, "install a newer one")
	// What a run that was killed leaves.
	testutil.Must(t, os.MkdirAll(filepath.Join(u.fresh(), "postgres"), 0o700))
	done, err := u.run(t.Context(), false)
	testutil.Must(t, err)
	wantNames(t, c.dir, "keys.json", "postgres", filepath.Base(done.Old), "postgres.lock")
	moved := startClinic(t, c.dir, nil)
	testutil.Equal(t, "patients", moved.ask("SELECT string_agg(name, ', ') FROM patients"), "Arjun Deshpande")
	testutil.Equal(t, "living sessions", moved.ask("SELECT count(*) FROM sessions WHERE ended_at IS NULL"), "1")
	moved.patient("Meera Iyer")
	moved.stop()
	_, err = u.run(t.Context(), false)
	wantError(t, err, "an earlier upgrade left it")
}

// A kill between the two renames leaves no cluster in its place. A server must not make an
// empty one there.
func TestUpgrade_GoesOnAfterAKillBetweenTheRenames(t *testing.T) {
	t.Parallel()
	c := newClinic(t, nil)
	c.stop()
	u := upgrade{c.dir, pgserver.Places{}, pgserver.Places{}, quiet()}
	testutil.Must(t, os.Mkdir(u.fresh(), 0o711))
	testutil.Must(t, os.Rename(u.current(), filepath.Join(u.fresh(), "postgres")))
	_, err := pgserver.Start(t.Context(), pgserver.Options{DataDir: c.dir})
	wantError(t, err, "run caregraph postgres upgrade again")
	_, err = u.run(t.Context(), true)
	testutil.Must(t, err)
	moved := startClinic(t, c.dir, nil)
	testutil.Equal(t, "patients", moved.ask("SELECT count(*) FROM patients"), "1")
	wantNames(t, c.dir, "keys.json", "postgres", "postgres.lock")
}

func TestUpgrade_FailureLeavesTheOldCluster(t *testing.T) {
	t.Parallel()
	c := newClinic(t, nil)
	c.stop()
	broken := openDir(t)
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) 99.1'\n"
		if name == "initdb" {
			script = "#!/bin/sh\n[ \"$1\" = --version ] && exit\necho 'initdb: error: broken' >&2\nexit 1\n"
		}
		testutil.Must(t, os.WriteFile(filepath.Join(broken, name), []byte(script), 0o755))
	}
	_, err := Upgrade(t.Context(), c.dir, broken, quiet())
	wantError(t, err, "initdb")
	wantNames(t, c.dir, "keys.json", "postgres", "postgres.lock")
	startClinic(t, c.dir, nil).patient("Meera Iyer")
}
