package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
)

// secrets are what Options.Secrets says. The first seals and hashes; all of them open and
// compare, so that a new key of the server voids nothing.
type secrets []secret

type secret struct {
	sealer cipher.AEAD
	hashes []byte // the key of hashes
}

var (
	errNoSecret = errors.New("the store has no secrets")
	errSealed   = errors.New("sealed with another key")
)

func newSecrets(keys [][]byte) (secrets, error) {
	all := make(secrets, len(keys))
	for i, key := range keys {
		sealing, err := hkdf.Key(sha256.New, key, nil, "seal", sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive the key of seals: %w", err)
		}
		block, err := aes.NewCipher(sealing)
		if err != nil {
			return nil, fmt.Errorf("seals: %w", err)
		}
		if all[i].sealer, err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("seals: %w", err)
		}
		if all[i].hashes, err = hkdf.Key(sha256.New, key, nil, "hash", sha256.Size); err != nil {
			return nil, fmt.Errorf("derive the key of hashes: %w", err)
		}
	}
	return all, nil
}

// seal encrypts a text. Only open with the same purpose returns it.
func (all secrets) seal(purpose string, text []byte) ([]byte, error) {
	if len(all) == 0 {
		return nil, errNoSecret
	}
	return all[0].sealer.Seal(nil, nil, text, []byte(purpose)), nil //nolint:gosec // G407: the sealer makes the nonce
}

func (all secrets) open(purpose string, sealed []byte) ([]byte, error) {
	for _, s := range all {
		if text, err := s.sealer.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return text, nil
		}
	}
	return nil, errSealed
}

// hash returns the hash of a code or token that the database keeps in its place.
func (all secrets) hash(purpose, text string) ([]byte, error) {
	if len(all) == 0 {
		return nil, errNoSecret
	}
	return all[0].hash(purpose, text), nil
}

// anyHash returns all hashes that the database may have for a code or token.
func (all secrets) anyHash(purpose, text string) [][]byte {
	hashes := make([][]byte, len(all))
	for i, s := range all {
		hashes[i] = s.hash(purpose, text)
	}
	return hashes
}

// matches reports whether a hash is that of a text, under any key.
func (all secrets) matches(purpose, text string, hash []byte) bool {
	return slices.ContainsFunc(all.anyHash(purpose, text), func(own []byte) bool { return hmac.Equal(own, hash) })
}

func (s secret) hash(purpose, text string) []byte {
	mac := hmac.New(sha256.New, s.hashes)
	mac.Write([]byte(purpose + "\x00" + text)) // no purpose contains a NUL
	return mac.Sum(nil)
}
