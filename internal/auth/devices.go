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
	// Name is what the client says it is, nil for nothing.
	Name *string
	// Otp is the code that the client sends next to the password, nil for none.
	Otp *string
}

// rememberDevice returns the token of a client's device after a sign-in: the one that
// the client sent if it is known, a new one if the client will keep it, or "".
func (a *Accounts) rememberDevice(ctx context.Context, userID int64, from Client) (token string, known bool, err error) {
	if from.Device != "" {
		if known, err = a.Store.KnowsDevice(ctx, userID, hashDevice(from.Device)); err != nil {
			return "", false, err
		}
	}
	switch {
	case known:
		token = from.Device
	case from.Remember:
		token = newDevice()
	default:
		return "", false, nil
	}
	return token, known, a.Store.RememberDevice(ctx, userID, hashDevice(token))
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
