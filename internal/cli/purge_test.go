package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestRun_PurgeNeedsToKnowWhatToDo(t *testing.T) {
	t.Parallel()
	const either = "purge needs either --dry-run, which prints what would be removed, or --yes, which removes it"
	for args, want := range map[string]string{
		"purge": either, "purge --yes --dry-run": either,
		"purge --yes --keep-records 0":      `--keep-records: must be a duration of at least 26304h0m0s, which is three years, not "0"`,
		"purge --yes --keep-records 26303h": `--keep-records: must be a duration of at least 26304h0m0s, which is three years, not "26303h"`,
		"purge --yes --keep-records 3years": `--keep-records: must be a duration of at least 26304h0m0s, which is three years, not "3years"`,
		"purge everything":                  `unknown command "purge everything"; see caregraph help`,
	} {
		if r := run(t, map[string]string{"HOME": t.TempDir()}, strings.Fields(args)...); r.err == nil || r.err.Error() != want {
			t.Errorf("%s:\n%v\nwant:\n%s", args, r.err, want)
		}
	}
}

// TestRun_PurgeRemovesWhatTheDryRunPrints.
func TestRun_PurgeRemovesWhatTheDryRunPrints(t *testing.T) {
	t.Parallel()
	url := storetest.Database(t)
	conn, err := pgx.Connect(t.Context(), url)
	testutil.Must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), `INSERT INTO users (id, username, email, role, password_hash) VALUES (1, 'asha', 'asha@clinic.example', 'PATIENT', '!');
		INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by, deleted_at)
		SELECT 'Patient ' || n, '1990-01-01', 'MALE', '+91', '', '+91', 1, timestamptz '2020-01-01' + n * interval '400 days' FROM generate_series(1, 5) AS n`)
	testutil.Must(t, err)
	patients := func() (n int) {
		testutil.Must(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM patients").Scan(&n))
		return n
	}
	command := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		testutil.Must(t, Run(t.Context(), Env{
			Args: append([]string{"purge", "--database-url", url, "--data", t.TempDir()}, args...), Getenv: func(string) string { return "" },
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &bytes.Buffer{}, Version: "0.0.7",
			Policy: func() (*model.Policy, error) { return storetest.Policy(t), nil },
		}, Serve(nil)))
		return regexp.MustCompile(` +`).ReplaceAllString(out.String(), " ")
	}
	const table = "TABLE ROWS OLDEST NEWEST REASON\nmappings 0 - - ended, and so have all others of the patient\n" +
		"patients 3 2021-02-04 2023-04-15 deleted, and all mappings have ended\ndoctors 0 - - deleted, and no mapping is left\n"
	if got := command("--dry-run"); !strings.HasPrefix(got, table+"The database is in ") || patients() != 5 {
		t.Errorf("dry run: %d patients, %s", patients(), got)
	}
	if got := command("--yes", "--keep-records", "26304h"); !strings.HasPrefix(got, table+"3 rows were removed.\n") || patients() != 2 {
		t.Errorf("%d patients, %s", patients(), got)
	}
	if got := command("--yes"); !strings.Contains(got, "\n0 rows were removed.\n") {
		t.Errorf("again: %s", got)
	}
}
