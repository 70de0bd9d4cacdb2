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
	content, err := x509.MarshalPKCS8PrivateKey(k.signers[0])
	if err != nil {
		return nil, fmt.Errorf("derive a secret: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, content, nil, purpose, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("derive a secret: %w", err)
	}
	return secret, nil
}
