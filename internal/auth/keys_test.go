package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestLoadOrCreateKeys_MakesAPrivateFileOnceAndKeepsIt(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{EdDSA, ES256} {
		path := filepath.Join(t.TempDir(), "state", "keys.json")
		made, err := LoadOrCreateKeys(path, alg)
		testutil.Must(t, err)
		info, err := os.Stat(path)
		testutil.Must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode is %v, want 0600", info.Mode())
		}
		again, err := LoadOrCreateKeys(path, alg)
		testutil.Must(t, err)
		if made.ids[0] != again.ids[0] {
			t.Errorf("%s: the second start has another key", alg)
		}
		wantOnlyFile(t, path)
	}
}

func TestLoadOrCreateKeys_ServersThatStartTogetherShareOneKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	kids := make([]string, 16)
	var servers sync.WaitGroup
	for i := range kids {
		servers.Go(func() {
			keys, err := LoadOrCreateKeys(path, EdDSA)
			if err != nil {
				t.Error(err)
				return
			}
			kids[i] = keys.ids[0]
		})
	}
	servers.Wait()
	if distinct := slices.Compact(kids); len(distinct) != 1 || distinct[0] == "" {
		t.Errorf("the servers have different keys: %q", kids)
	}
	wantOnlyFile(t, path)
}

func TestLoadKeys_MissingFileIsNotMade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	_, err := LoadKeys(path, EdDSA)
	wantErrorWith(t, err, path)
	if _, err := os.Stat(path); err == nil {
		t.Error("LoadKeys made a file")
	}
}

func TestLoadKeys_FileOthersCanReadIsRefusedByName(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o660, 0o601} {
		path := newKeyFile(t, EdDSA)
		testutil.Must(t, os.Chmod(path, mode))
		_, err := LoadOrCreateKeys(path, EdDSA)
		wantErrorWith(t, err, path, "chmod 600")
		_, err = RotateKeys(path, EdDSA)
		wantErrorWith(t, err, path, "chmod 600")
		wantOnlyFile(t, path)
	}
}

func TestLoadKeys_KeyOfOtherAlgorithmIsRefused(t *testing.T) {
	t.Parallel()
	_, err := LoadKeys(newKeyFile(t, EdDSA), ES256)
	wantErrorWith(t, err, "EdDSA", "ES256")
	_, err = LoadKeys(newKeyFile(t, ES256), EdDSA)
	wantErrorWith(t, err, "ES256", "EdDSA")

	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	testutil.Must(t, err)
	_, err = LoadKeys(writeFile(t, pemOf(t, p384)), ES256)
	wantErrorWith(t, err, "ES256")

	for _, alg := range []string{"", "none", "HS256", "RS256", "eddsa"} {
		if _, err := LoadOrCreateKeys(filepath.Join(t.TempDir(), "keys.json"), alg); err == nil {
			t.Errorf("algorithm %q was taken", alg)
		}
	}
}

// A second key of another kind must not be accepted after a good one.
func TestLoadKeys_EveryKeyIsChecked(t *testing.T) {
	t.Parallel()
	var good struct{ Keys []json.RawMessage }
	content, err := os.ReadFile(newKeyFile(t, EdDSA))
	testutil.Must(t, err)
	testutil.Must(t, json.Unmarshal(content, &good))
	ours := string(good.Keys[0])
	for name, second := range map[string]string{
		"symmetric":   `{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0","alg":"HS256"}`,
		"anonymous":   `{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}`,
		"public only": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		// The halves belong to two different keys.
		"mixed up":       `{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"Cd57R_dWjhH6KSAw0oILFP9zOziwk4qcOC4FnNVXwHI"}`,
		"for encryption": `{"kty":"OKP","use":"enc","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
		"twice":          ours,
	} {
		path := writeFile(t, []byte(`{"keys":[`+ours+","+second+`]}`))
		_, err := LoadKeys(path, EdDSA)
		if err == nil {
			t.Errorf("%s: the file was taken", name)
			continue
		}
		wantErrorWith(t, err, path, "key 2")
	}
}

func TestLoadKeys_HalvesOfTwoKeysAreRefused(t *testing.T) {
	t.Parallel()
	one, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testutil.Must(t, err)
	two, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testutil.Must(t, err)
	one.PublicKey = two.PublicKey
	mixed, err := jwk.FromRaw(one)
	testutil.Must(t, err)
	content, err := json.Marshal(mixed)
	testutil.Must(t, err)
	_, err = LoadKeys(writeFile(t, content), ES256)
	wantErrorWith(t, err, "key 1")
}

func TestLoadKeys_BrokenFileIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		"", "{}", `{"keys":[]}`, "TOP-SECRET", `{"keys":["TOP-SECRET"]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","d":"TOP-SECRET","x":"TOP-SECRET"}]}`,
		"-----BEGIN PRIVATE KEY-----\nTOP-SECRET\n-----END PRIVATE KEY-----\n",
	} {
		path := writeFile(t, []byte(content))
		_, err := LoadKeys(path, EdDSA)
		wantErrorWith(t, err, path)
		if err != nil && strings.Contains(err.Error(), "TOP-SECRET") {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
}

func TestLoadKeys_TakesPKCS8InPEM(t *testing.T) {
	t.Parallel()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	testutil.Must(t, err)
	weierstrass, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testutil.Must(t, err)
	for alg, key := range map[string]crypto.Signer{EdDSA: edwards, ES256: weierstrass} {
		path := writeFile(t, pemOf(t, key))
		keys, err := LoadOrCreateKeys(path, alg)
		testutil.Must(t, err)
		// The same key as PEM and as JWK has the same name.
		rotated, err := RotateKeys(path, alg)
		testutil.Must(t, err)
		if _, kept := rotated.public[keys.ids[0]]; !kept || rotated.ids[0] == keys.ids[0] {
			t.Errorf("%s: rotation did not put a new key before that of the PEM file", alg)
		}
	}
}

// RFC 8037, appendix A.3, gives this key and its thumbprint.
func TestKeys_KidIsTheThumbprint(t *testing.T) {
	t.Parallel()
	keys, err := LoadKeys(writeFile(t, []byte(`{"kty":"OKP","crv":"Ed25519","kid":"mine",
		"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)), EdDSA)
	testutil.Must(t, err)
	if keys.ids[0] != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("kid = %q", keys.ids[0])
	}
}

func TestRotateKeys_NewKeySignsOldOnesVerifyAndFiveStay(t *testing.T) {
	t.Parallel()
	path := newKeyFile(t, EdDSA)
	first, err := LoadKeys(path, EdDSA)
	testutil.Must(t, err)
	signedBefore := []string{first.ids[0]}
	for range maxKeys + 2 {
		rotated, err := RotateKeys(path, EdDSA)
		testutil.Must(t, err)
		loaded, err := LoadKeys(path, EdDSA)
		testutil.Must(t, err)
		if loaded.ids[0] != rotated.ids[0] || slices.Contains(signedBefore, loaded.ids[0]) {
			t.Error("the new key is not the one that signs")
		}
		signedBefore = append(signedBefore, loaded.ids[0])
		kept := signedBefore[max(0, len(signedBefore)-maxKeys):]
		if len(loaded.public) != len(kept) {
			t.Errorf("%d keys are kept, want %d", len(loaded.public), len(kept))
		}
		for _, kid := range kept {
			if _, ok := loaded.public[kid]; !ok {
				t.Errorf("key %s verifies no more", kid)
			}
		}
	}
	wantOnlyFile(t, path)
}

// TestChangedKeys_KeepTheirOwner: as root, the file of a service stays readable for it.
func TestChangedKeys_KeepTheirOwner(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path, alg string) (*Keys, error){"rotate": RotateKeys, "publish": PublishKey} {
		for _, mode := range []os.FileMode{0o600, 0o400} {
			path := newKeyFile(t, EdDSA)
			uid, gid := os.Getuid(), os.Getgid()
			if uid == 0 {
				uid, gid = 12345, 23456
			}
			testutil.Must(t, os.Chown(path, uid, gid))
			testutil.Must(t, os.Chmod(path, mode))
			_, err := change(path, EdDSA)
			testutil.Must(t, err)
			info, err := os.Stat(path)
			testutil.Must(t, err)
			stat := info.Sys().(*syscall.Stat_t)
			if int(stat.Uid) != uid || int(stat.Gid) != gid || info.Mode().Perm() != mode {
				t.Errorf("%s: the file belongs to %d:%d with mode %v, want %d:%d with %v", name, stat.Uid, stat.Gid, info.Mode(), uid, gid, mode)
			}
			wantOnlyFile(t, path)
		}
	}
}

func TestRotateKeys_RefusesToRunBesideAnother(t *testing.T) {
	t.Parallel()
	path := newKeyFile(t, EdDSA)
	before, _ := os.ReadFile(path)
	testutil.Must(t, os.WriteFile(path+".new", nil, 0o600))
	_, err := RotateKeys(path, EdDSA)
	wantErrorWith(t, err, path+".new")
	after, _ := os.ReadFile(path)
	if !bytes.Equal(before, after) {
		t.Error("the keys were changed")
	}
	if _, err := os.Stat(path + ".new"); err != nil {
		t.Error("the file of the other rotation was removed")
	}
}

func TestPublicJWKS_HasEveryKeyAndNoPrivatePart(t *testing.T) {
	t.Parallel()
	for alg, want := range map[string][]string{
		EdDSA: {"alg", "crv", "kid", "kty", "use", "x"},
		ES256: {"alg", "crv", "kid", "kty", "use", "x", "y"},
	} {
		path := newKeyFile(t, alg)
		keys, err := RotateKeys(path, alg)
		testutil.Must(t, err)
		var set struct{ Keys []map[string]string }
		testutil.Must(t, json.Unmarshal(keys.PublicJWKS(), &set))
		if len(set.Keys) != 2 || set.Keys[0]["kid"] != keys.ids[0] {
			t.Fatalf("want two keys, the signing one first: %s", keys.PublicJWKS())
		}
		for _, key := range set.Keys {
			var members []string
			for member := range key {
				members = append(members, member)
			}
			slices.Sort(members)
			if !slices.Equal(members, want) {
				t.Errorf("members = %q, want exactly %q", members, want)
			}
			if key["alg"] != alg || key["use"] != "sig" {
				t.Errorf("alg = %q, use = %q", key["alg"], key["use"])
			}
		}
	}
}

// Nothing else that an operator's file says about a key is published.
func TestPublicJWKS_PassesNothingOnFromTheFile(t *testing.T) {
	t.Parallel()
	keys, err := LoadKeys(writeFile(t, []byte(`{"kty":"OKP","crv":"Ed25519","note":"TOP-SECRET",
		"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`)), EdDSA)
	testutil.Must(t, err)
	if strings.Contains(string(keys.PublicJWKS()), "SECRET") || strings.Contains(string(keys.PublicJWKS()), "nWGxne") {
		t.Errorf("published: %s", keys.PublicJWKS())
	}
	keys.PublicJWKS()[0] = 'X'
	if keys.PublicJWKS()[0] != '{' {
		t.Error("a caller can change what is published")
	}
	if set, err := jwk.Parse(keys.PublicJWKS()); err != nil || set.Len() != 1 {
		t.Errorf("a client cannot read it: %v", err)
	}
}

func newKeyFile(t *testing.T, alg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	testutil.Must(t, createKeyFile(path, jwa.SignatureAlgorithm(alg)))
	return path
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	testutil.Must(t, os.WriteFile(path, content, 0o600))
	return path
}

func pemOf(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	testutil.Must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func wantErrorWith(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// wantOnlyFile fails the test if temporary files are left.
func wantOnlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	testutil.Must(t, err)
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("want only the key file, found %v", entries)
	}
}
