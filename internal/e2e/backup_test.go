package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// A pair of age keys of these tests alone.
const (
	recipient = "age106789z5k8nclaq0tpnttmqn7qat3y66geyu4yppk7s3p0xfq5ypqxfj9u9"
	identity  = "AGE-SECRET-KEY-1ZDR54T820X0YDC8TY6X22633QR3RX534SGCRY0WSFXQ3KGWCL8TQK3N0GZ"
)

// restored makes a backup of the running server, verifies it, and starts a server on what a
// restore makes of it.
func (p *program) restored() *program {
	p.t.Helper()
	dir := filepath.Dir(dataDir(p.t))
	file, key, to := filepath.Join(dir, "b.age"), filepath.Join(dir, "key"), filepath.Join(dir, "data")
	testutil.Must(p.t, os.WriteFile(key, []byte(identity+"\n"), 0o600))
	for _, command := range [][]string{
		{"backup", file, "--recipient", recipient, "--data", p.data},
		{"backup", "verify", file, "--identity", key},
		{"restore", file, "--identity", key, "--data", to},
	} {
		if out, failure := run(p.t, "", command...); failure != "" {
			p.t.Fatalf("%s: %s", command[0], out)
		}
	}
	return start(p.t, to)
}

const loginDocument = `mutation ($email: EmailAddress!) { login(input: {email: $email, password: "Secure@123"}) { tokens { access } } }`

func (p *program) login(email string) (token string) {
	p.t.Helper()
	return at(p.t, p.must("", loginDocument, map[string]any{"email": email}), "login", "tokens", "access").(string)
}

// The operations are those that bench measures, without their exact shape.
func TestBackup_RestoredServerAnswersLikeTheOriginal(t *testing.T) {
	t.Parallel()
	empty := start(t, dataDir(t))
	original := empty.restored()
	tour := blocks(document(t, "docs/tour.md"))
	answers := original.take(tour, []string{"bash", "--norc", "--noprofile"})
	for i, b := range tour {
		if i+1 < len(tour) && b.language == "sh" && tour[i+1].language != "sh" {
			compare(t, b, tour[i+1], answers[i])
		}
	}
	const owner, doctor = "rahul.kumar@gmail.com", "priya.patel@aiims.edu"
	owners, doctors := original.login(owner), original.login(doctor)
	copied := original.restored()
	if _, err := copied.ask(owners, "{ me { id } }", nil); err == nil || !strings.Contains(err.Error(), "UNAUTHENTICATED") {
		t.Errorf("a session of before the backup: %v", err)
	}
	for _, question := range []struct{ email, token, query string }{
		{owner, owners, `{ patient(id: "pat_1") { id name phone bloodGroup createdAt } }`},
		{owner, owners, `{ patients(first: 20) { totalCount nodes { id name doctors { edges { node { name specialization } mapping { isActive } } } } } }`},
		{owner, owners, `{ patients(first: 50) { nodes { id name dateOfBirth gender email phone address emergencyContact bloodGroup medicalHistory version updatedAt } } }`},
		{doctor, doctors, `{ doctor(id: "doc_1") { id name patients(first: 50) { totalCount edges { node { name } mapping { notes } } } } }`},
	} {
		want := original.must(question.token, question.query, nil)
		testutil.Equal(t, question.query, copied.must(copied.login(question.email), question.query, nil), want)
	}
	created := copied.must(copied.login(owner), createDocument, map[string]any{"name": "Rohan Gupta"})
	if at(t, created, "createPatient", "patient", "id") == "" {
		t.Errorf("the copy creates no patient: %v", created)
	}
	for _, server := range []*program{empty, original, copied} {
		server.stop()
	}
}

func TestBackup_RefusesWhatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	server := start(t, dataDir(t))
	file := filepath.Join(t.TempDir(), "a b.zst")
	_, failure := run(t, "", "backup", file, "--data", server.data)
	if !strings.Contains(failure, "--recipient") || !strings.Contains(failure, "--plaintext") {
		t.Errorf("without a recipient: %s", failure)
	}
	_, failure = run(t, "", "backup", file, "--data", server.data, "--plaintext", "--recipient", identity)
	if !strings.Contains(failure, "age recipients") || strings.Contains(failure, identity) {
		t.Errorf("an identity in the place of a recipient: %s", failure)
	}
	if out, failure := run(t, "", "backup", file, "--data", server.data, "--plaintext"); failure != "" {
		t.Errorf("a plain backup: %s", out)
	}
	_, failure = run(t, "", "restore", file, "--data", server.data)
	if !strings.Contains(failure, "is not empty") {
		t.Errorf("restore over a running server: %s", failure)
	}
	_, failure = run(t, "", "backup", file, "--data", dataDir(t), "--plaintext")
	if !strings.Contains(failure, "has no database") {
		t.Errorf("backup of nothing: %s", failure)
	}
	server.stop()
}
