package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// The signing algorithms that can be configured.
const (
	EdDSA = "EdDSA" // Ed25519, RFC 8037
	ES256 = "ES256" // ECDSA on P-256, RFC 7518
)

const (
	// maxKeys is the number of keys that stay in the file: the signing key and
	// the four before it. No one is signed out as long as there are at most
	// four rotations within the lifetime of a refresh token.
	maxKeys         = 5
	maxKeyFileBytes = 1 << 20
)

// Keys is a set of signing keys of one algorithm. The first key signs, all keys
// verify. A set never changes; Tokens reads the file again when a token names
// another key.
type Keys struct {
	alg     jwa.SignatureAlgorithm
	signers []crypto.Signer
	ids     []string // their kids
	// next is the index of the published key, which signs after the next
	// rotation; 0 if there is none.
	next   int
	public map[string]crypto.PublicKey
	jwks   []byte
	path   string // "" if they are not from a file
	isNew  bool
}

// LoadKeys reads the private keys in the file: a JWK Set (RFC 7517), or PKCS#8
// keys in PEM. It fails if others than the owner can read the file, and if any
// key in it is not for alg. Every error names the file, and none quotes its
// content.
func LoadKeys(path, alg string) (*Keys, error) {
	algorithm, err := parseAlgorithm(alg)
	if err != nil {
		return nil, err
	}
	content, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("signing keys: %w", err)
	}
	signers, next, err := parseSigners(content, algorithm)
	if err != nil {
		return nil, fmt.Errorf("signing keys %s: %w", path, err)
	}
	keys, err := newKeys(algorithm, signers)
	if err != nil {
		return nil, fmt.Errorf("signing keys %s: %w", path, err)
	}
	keys.next, keys.path = next, path
	return keys, nil
}

// LoadOrCreateKeys returns what LoadKeys returns. On the first start it creates
// the file with one new key and mode 0600. If several servers start at once,
// one of them creates the file and all use it; none ever reads an incomplete
// file.
func LoadOrCreateKeys(path, alg string) (*Keys, error) {
	keys, err := LoadKeys(path, alg)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := createKeyFile(path, jwa.SignatureAlgorithm(alg)); err != nil {
		return nil, fmt.Errorf("make signing keys: %w", err)
	}
	if keys, err = LoadKeys(path, alg); err == nil {
		keys.isNew = true
	}
	return keys, err
}

// IsNew reports whether LoadOrCreateKeys found no file.
func (k *Keys) IsNew() bool { return k.isNew }

// RotateKeys puts the published key, or else a new one, in front of those in the
// file and returns all keys. The older keys continue to verify, so no one is
// signed out; it drops the oldest of more than five. A PEM file becomes a JWK
// Set. The file keeps its owner, group and mode. It fails while another change
// of the file runs.
func RotateKeys(path, alg string) (*Keys, error) {
	return changeKeys("rotate signing keys", path, alg, func(old *Keys) ([]crypto.Signer, int, error) {
		signers := slices.Clone(old.signers)
		if old.next > 0 {
			signers = slices.Delete(signers, old.next, old.next+1)
			signers = slices.Insert(signers, 0, old.signers[old.next])
		} else {
			fresh, err := generateSigner(old.alg)
			if err != nil {
				return nil, 0, err
			}
			signers = slices.Insert(signers, 0, fresh)
		}
		return signers[:min(len(signers), maxKeys)], 0, nil
	})
}

// PublishKey adds a key that verifies, and signs only after the next rotation,
// so that copies of the file can be distributed before. It returns all keys. It
// fails if the file has such a key, and otherwise as RotateKeys.
func PublishKey(path, alg string) (*Keys, error) {
	return changeKeys("publish a signing key", path, alg, func(old *Keys) ([]crypto.Signer, int, error) {
		if old.next > 0 {
			return nil, 0, errors.New("a key is published already: distribute the file, then run caregraph keys rotate")
		}
		fresh, err := generateSigner(old.alg)
		return slices.Insert(slices.Clone(old.signers), 1, fresh), 1, err
	})
}

// HasPublished reports whether a published key waits for its rotation.
func (k *Keys) HasPublished() bool { return k.next > 0 }

// changeKeys replaces the file by one with other keys, of which next is the
// published one.
func changeKeys(what, path, alg string, change func(*Keys) (signers []crypto.Signer, next int, err error)) (*Keys, error) {
	path, err := filepath.EvalSymlinks(path) // replace the file, not a link to it
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	fresh, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the operator names the file.
	if err != nil {
		return nil, fmt.Errorf("%s: another change runs, or an interrupted one left its file: %w", what, err)
	}
	content, err := changed(path, alg, change)
	if err == nil {
		err = keepOwner(fresh, path)
	}
	if err == nil {
		_, err = fresh.Write(content)
	}
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err == nil {
		err = errors.Join(os.Rename(fresh.Name(), path), syncDirectory(filepath.Dir(path)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", what, err), os.Remove(fresh.Name()))
	}
	return LoadKeys(path, alg)
}

// changed returns the content of a file with the changed keys.
func changed(path, alg string, change func(*Keys) ([]crypto.Signer, int, error)) ([]byte, error) {
	old, err := LoadKeys(path, alg)
	if err != nil {
		return nil, err
	}
	signers, next, err := change(old)
	if err != nil {
		return nil, err
	}
	return encodeSigners(old.alg, signers, next)
}

// keepOwner gives a file the owner, the group and the mode of another one. root
// may change the keys of a server that runs as another user.
func keepOwner(file *os.File, like string) error {
	want, err := os.Stat(like)
	if err != nil {
		return err
	}
	have, err := file.Stat()
	if err != nil {
		return err
	}
	wanted, isUnix := want.Sys().(*syscall.Stat_t)
	if stat, ok := have.Sys().(*syscall.Stat_t); ok && isUnix && (stat.Uid != wanted.Uid || stat.Gid != wanted.Gid) {
		if err := file.Chown(int(wanted.Uid), int(wanted.Gid)); err != nil {
			return fmt.Errorf("run this as the user that runs the server, or as root: %w", err)
		}
	}
	return file.Chmod(want.Mode().Perm())
}

// IDs returns the id (kid) of each key, that of the signing key first.
func (k *Keys) IDs() []string { return slices.Clone(k.ids) }

// PublicJWKS returns the public halves as a JWK Set (RFC 7517), the signing
// key first, each with kid, alg and use.
func (k *Keys) PublicJWKS() []byte { return bytes.Clone(k.jwks) }

func parseAlgorithm(name string) (jwa.SignatureAlgorithm, error) {
	if name != EdDSA && name != ES256 {
		return "", fmt.Errorf("signing algorithm %q: only %s and %s can be configured", name, EdDSA, ES256)
	}
	return jwa.SignatureAlgorithm(name), nil
}

// newKeys checks that both halves of each key belong together.
func newKeys(alg jwa.SignatureAlgorithm, signers []crypto.Signer) (*Keys, error) {
	keys := &Keys{alg: alg, signers: signers, public: make(map[string]crypto.PublicKey)}
	published := jwk.NewSet()
	for i, signer := range signers {
		public, err := toJWK(signer.Public(), alg)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		proof, err := jws.Sign([]byte("proof"), jws.WithKey(alg, signer))
		if err != nil {
			return nil, fmt.Errorf("key %d cannot sign", i+1)
		}
		if _, err := jws.Verify(proof, jws.WithKey(alg, signer.Public())); err != nil {
			return nil, fmt.Errorf("key %d: its private and public halves do not belong together", i+1)
		}
		if _, known := keys.public[public.KeyID()]; known {
			return nil, fmt.Errorf("key %d is in the file twice", i+1)
		}
		if err := published.AddKey(public); err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys.public[public.KeyID()] = signer.Public()
		keys.ids = append(keys.ids, public.KeyID())
	}
	var err error
	keys.jwks, err = json.Marshal(published)
	return keys, err
}

// toJWK returns a key, private or public, as a JWK whose kid is its RFC 7638
// thumbprint. It starts from the bare key, so it passes on nothing else that a
// file says about the key.
func toJWK(key any, alg jwa.SignatureAlgorithm) (jwk.Key, error) {
	described, err := jwk.FromRaw(key)
	if err != nil {
		return nil, err
	}
	return described, errors.Join(
		jwk.AssignKeyID(described, jwk.WithThumbprintHash(crypto.SHA256)),
		described.Set(jwk.AlgorithmKey, alg),
		described.Set(jwk.KeyUsageKey, jwk.ForSignature),
	)
}

func generateSigner(alg jwa.SignatureAlgorithm) (crypto.Signer, error) {
	if alg == jwa.ES256 {
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return private, err
}

// The member of a private JWK that marks the published key.
const (
	statusMember = "caregraph_status"
	published    = "published"
)

// parseSigners returns the keys and the index of the published one, or 0. It
// omits the errors of the parser, which could quote the file.
func parseSigners(content []byte, alg jwa.SignatureAlgorithm) (signers []crypto.Signer, next int, err error) {
	isPEM := bytes.HasPrefix(bytes.TrimSpace(content), []byte("-----BEGIN"))
	set, err := jwk.Parse(content, jwk.WithPEM(isPEM))
	if err != nil {
		return nil, 0, errors.New("neither a JWK Set nor PKCS#8 keys in PEM")
	}
	if set.Len() == 0 {
		return nil, 0, errors.New("contains no key")
	}
	signers = make([]crypto.Signer, set.Len())
	for i := range signers {
		key, _ := set.Key(i)
		if signers[i], err = signerOf(key, alg); err != nil {
			return nil, 0, fmt.Errorf("key %d %w", i+1, err)
		}
		if status, ok := key.Get(statusMember); ok && status == published {
			next = i
		}
	}
	return signers, next, nil
}

func signerOf(key jwk.Key, alg jwa.SignatureAlgorithm) (crypto.Signer, error) {
	if named := key.Algorithm().String(); named != "" && named != alg.String() {
		return nil, fmt.Errorf("is for algorithm %q, but %s is configured", named, alg)
	}
	if use := key.KeyUsage(); use != "" && use != jwk.ForSignature.String() {
		return nil, fmt.Errorf("is for use %q, not for signatures", use)
	}
	var raw any
	if err := key.Raw(&raw); err != nil {
		return nil, errors.New("cannot be read")
	}
	switch private := raw.(type) {
	case ed25519.PrivateKey:
		if alg == jwa.EdDSA {
			return private, nil
		}
	case *ecdsa.PrivateKey:
		if alg == jwa.ES256 && private.Curve == elliptic.P256() {
			return private, nil
		}
	}
	return nil, fmt.Errorf("is of type %T, which is no private key for %s", raw, alg)
}

func readKeyFile(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file.
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	// Windows keeps no such bits and reports the same mode for every file.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s has mode %#o and can be read by others than its owner: run chmod 600 on it", path, mode)
	}
	return io.ReadAll(io.LimitReader(file, maxKeyFileBytes))
}

// createKeyFile writes the whole file under a temporary name in the same
// directory and then links it to its path. Unlike a rename, the link fails if
// another server was faster; then that server's file stays.
func createKeyFile(path string, alg jwa.SignatureAlgorithm) error {
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	signer, err := generateSigner(alg)
	if err != nil {
		return err
	}
	content, err := encodeSigners(alg, []crypto.Signer{signer}, 0)
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(directory, ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // a leftover file does no harm
	_, err = temp.Write(content)
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDirectory(directory)
}

// encodeSigners returns a private JWK Set. next is the index of the published
// key, or 0.
func encodeSigners(alg jwa.SignatureAlgorithm, signers []crypto.Signer, next int) ([]byte, error) {
	set := jwk.NewSet()
	for i, signer := range signers {
		private, err := toJWK(signer, alg)
		if err == nil && i > 0 && i == next {
			err = private.Set(statusMember, published)
		}
		if err != nil {
			return nil, err
		}
		if err := set.AddKey(private); err != nil {
			return nil, err
		}
	}
	content, err := json.MarshalIndent(set, "", "  ")
	return append(content, '\n'), err
}

// syncDirectory makes a new name in the directory survive a power cut. Windows
// has no such call and does not need one.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path) //nolint:gosec // G304: where the operator's file is.
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
