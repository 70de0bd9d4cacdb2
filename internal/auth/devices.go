package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// Client is where a sign-in comes from.
type Client struct {
	// Addr is the address, with or without port.
	Addr string
	// Device is the token that an earlier sign-in on this device returned, or empty.
	Device string
	// Remember says that the client keeps the token of its device.
	Remember bool
}

// rememberDevice returns the token of a client's device after a sign-in: the one that
// the client sent if it is known, a new one if the client will keep it, or "".
func (a *Accounts) rememberDevice(ctx context.Context, userID int64, from Client) (string, error) {
	token := from.Device
	if token != "" {
		known, err := a.Store.KnowsDevice(ctx, userID, hashDevice(token))
		if err != nil {
			return "", err
		}
		if !known {
			token = ""
		}
	}
	if token == "" && !from.Remember {
		return "", nil
	}
	if token == "" {
		token = newDevice()
	}
	if err := a.Store.RememberDevice(ctx, userID, hashDevice(token)); err != nil {
		return "", err
	}
	return token, nil
}

// newDevice returns 32 random bytes as text.
func newDevice() string {
	var token [32]byte
	_, _ = rand.Read(token[:]) // never fails, says its documentation
	return base64.RawURLEncoding.EncodeToString(token[:])
}

func hashDevice(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}
