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
// verify. A set never changes; the server reads a rotated file at its next
// start.
type Keys struct {
	alg     jwa.SignatureAlgorithm
	signers []crypto.Signer
	kid     string // of signers[0]
	public  map[string]crypto.PublicKey
	jwks    []byte
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
	signers, err := parseSigners(content, algorithm)
	if err != nil {
		return nil, fmt.Errorf("signing keys %s: %w", path, err)
	}
	keys, err := newKeys(algorithm, signers)
	if err != nil {
		return nil, fmt.Errorf("signing keys %s: %w", path, err)
	}
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
	return LoadKeys(path, alg)
}

// RotateKeys puts a new key in front of those in the file and returns all keys.
// The older keys continue to verify, so no one is signed out; it drops the
// oldest of more than five. A PEM file becomes a JWK Set. Run it as the user
// that runs the server. It fails while another rotation runs.
func RotateKeys(path, alg string) (*Keys, error) {
	path, err := filepath.EvalSymlinks(path) // replace the file, not a link to it
	if err != nil {
		return nil, fmt.Errorf("rotate signing keys: %w", err)
	}
	next, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // G304: the operator names the file.
	if err != nil {
		return nil, fmt.Errorf("rotate signing keys: another rotation runs, or an interrupted one left its file: %w", err)
	}
	keys, content, err := withNewKey(path, alg)
	if err == nil {
		_, err = next.Write(content)
	}
	if err = errors.Join(err, next.Sync(), next.Close()); err == nil {
		err = errors.Join(os.Rename(next.Name(), path), syncDirectory(filepath.Dir(path)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rotate signing keys: %w", err), os.Remove(next.Name()))
	}
	return keys, nil
}

// withNewKey returns the keys in the file with a new one in front, and the
// content of a file with them.
func withNewKey(path, alg string) (keys *Keys, content []byte, err error) {
	old, err := LoadKeys(path, alg)
	if err != nil {
		return nil, nil, err
	}
	signer, err := generateSigner(old.alg)
	if err != nil {
		return nil, nil, err
	}
	signers := append([]crypto.Signer{signer}, old.signers...)
	if keys, err = newKeys(old.alg, signers[:min(len(signers), maxKeys)]); err != nil {
		return nil, nil, err
	}
	content, err = encodeSigners(keys.alg, keys.signers)
	return keys, content, err
}

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
		if i == 0 {
			keys.kid = public.KeyID()
		}
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

// parseSigners omits the errors of the parser, which could quote the file.
func parseSigners(content []byte, alg jwa.SignatureAlgorithm) ([]crypto.Signer, error) {
	isPEM := bytes.HasPrefix(bytes.TrimSpace(content), []byte("-----BEGIN"))
	set, err := jwk.Parse(content, jwk.WithPEM(isPEM))
	if err != nil {
		return nil, errors.New("neither a JWK Set nor PKCS#8 keys in PEM")
	}
	if set.Len() == 0 {
		return nil, errors.New("contains no key")
	}
	signers := make([]crypto.Signer, set.Len())
	for i := range signers {
		key, _ := set.Key(i)
		if signers[i], err = signerOf(key, alg); err != nil {
			return nil, fmt.Errorf("key %d %w", i+1, err)
		}
	}
	return signers, nil
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
	content, err := encodeSigners(alg, []crypto.Signer{signer})
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

// encodeSigners returns a private JWK Set.
func encodeSigners(alg jwa.SignatureAlgorithm, signers []crypto.Signer) ([]byte, error) {
	set := jwk.NewSet()
	for _, signer := range signers {
		private, err := toJWK(signer, alg)
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
