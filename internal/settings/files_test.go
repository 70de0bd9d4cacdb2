package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// secretFile returns a file that only its owner can read.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestParse_EverySecretCanBeInAFile(t *testing.T) {
	t.Parallel()
	secrets := 0
	for _, o := range rows(&Settings{}) {
		if !o.secret {
			continue
		}
		secrets++
		value := samples()[o.name]
		path := secretFile(t, " "+value+"\n")
		direct, _, err := Parse([]string{"--" + o.name, value}, environment(nil))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Parse([]string{"--" + o.name + "-file", path}, environment(nil))
		if changed := differences(direct, got); err != nil || len(changed) > 0 {
			t.Errorf("--%s-file: %v differ, %v", o.name, changed, err)
		}
	}
	if secrets < 4 {
		t.Errorf("the table has %d secrets", secrets)
	}
}

func TestParse_RefusesAFileThatHoldsNoSecret(t *testing.T) {
	t.Parallel()
	good, open := secretFile(t, "postgres://u:hunter2@h/d"), secretFile(t, "postgres://u:hunter2@h/d")
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path string
		env  map[string]string
		want string
	}{
		"readable by others":      {open, nil, "--database-url-file: must be a private file: other users can read or write " + open + ": run chmod o-rw on it"},
		"missing":                 {good + "-none", nil, "--database-url-file: must be a private file: open " + good + "-none: no such file or directory"},
		"empty":                   {secretFile(t, "\n"), nil, "--database-url-file: must be a file with a value"},
		"of another form":         {secretFile(t, "hunter2"), nil, "--database-url-file: the value in the file must be postgres://user:password@host/database or key=value pairs"},
		"set twice":               {good, map[string]string{"CAREGRAPH_DATABASE_URL": "postgres://h/d"}, "--database-url-file: must not be set together with CAREGRAPH_DATABASE_URL"},
		"set twice, by the alias": {good, map[string]string{"DATABASE_URL": "postgres://h/d"}, "--database-url-file: must not be set together with DATABASE_URL"},
	} {
		_, _, err := Parse([]string{"--database-url-file", c.path}, environment(c.env))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n%v\nwant:\n%s", name, err, c.want)
		}
	}
	_, _, err := Parse([]string{"--database-url=postgres://h/d"}, environment(map[string]string{"CAREGRAPH_DATABASE_URL_FILE": good}))
	if want := "--database-url-file (from CAREGRAPH_DATABASE_URL_FILE): must not be set together with --database-url"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestOrigins_SayWhereEachSettingComesFrom(t *testing.T) {
	t.Parallel()
	path := secretFile(t, "postgres://a:hunter2@h/d")
	env := environment(map[string]string{
		"DATABASE_URL": "postgres://u:hunter2@h/d", "CAREGRAPH_MAX_DEPTH": "9", "CAREGRAPH_DATABASE_ADMIN_URL_FILE": path,
	})
	got := Origins([]string{"--addr=:9"}, env)
	if want := len(options(&Settings{})); len(got) != want {
		t.Errorf("%d settings, want %d", len(got), want)
	}
	for _, want := range []Origin{
		{"addr", ":9", "--addr"},
		{"max-depth", "9", "CAREGRAPH_MAX_DEPTH"},
		{"max-cost", "50000", "default"},
		{"keys", "", "default"},
		{"database-url", "(set)", "DATABASE_URL"},
		{"database-url-file", "", "default"},
		{"database-direct-url", "", "default"},
		{"database-admin-url", "(set)", "CAREGRAPH_DATABASE_ADMIN_URL_FILE"},
		{"database-admin-url-file", path, "CAREGRAPH_DATABASE_ADMIN_URL_FILE"},
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%v is missing", want)
		}
	}
	for _, o := range got {
		if strings.Contains(o.Value, "hunter2") {
			t.Errorf("%s shows the secret", o.Name)
		}
	}
}
