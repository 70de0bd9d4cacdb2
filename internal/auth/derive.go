package auth

import (
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
)

// Derive returns a secret of 32 bytes for one purpose. All servers with the same first
// key derive the same secret, and it reveals nothing about the key.
func (k *Keys) Derive(purpose string) ([]byte, error) {
	all, err := k.DeriveAll(purpose)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// DeriveAll returns what Derive returned with each key in the file, that of now first.
func (k *Keys) DeriveAll(purpose string) ([][]byte, error) {
	all := make([][]byte, len(k.signers))
	for i, signer := range k.signers {
		content, err := x509.MarshalPKCS8PrivateKey(signer)
		if err != nil {
			return nil, fmt.Errorf("derive a secret: %w", err)
		}
		if all[i], err = hkdf.Key(sha256.New, content, nil, purpose, sha256.Size); err != nil {
			return nil, fmt.Errorf("derive a secret: %w", err)
		}
	}
	return all, nil
}
