package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/caregraph/caregraph/model"
)

// position is where a device is in the change feed. A device gets it sealed: the ids of
// transactions in it count all writes of the cluster, and the list of running ones shows
// its load.
type position struct {
	Version int `json:"v"`
	// Epoch names the database. Rights is a hash of the access rules, and of the role and
	// the grants of the viewer.
	Epoch  string `json:"e"`
	Rights string `json:"r"`
	// Kinds are the letters of the kinds of records wanted.
	Kinds string `json:"k"`
	// Base is the snapshot whose records the device has; "" if it still gets all records.
	// Round is the snapshot of the first page of the changes since then; "" before it.
	Base  string `json:"b,omitempty"`
	Round string `json:"s,omitempty"`
	// LastKind and LastID are the last record of the page before.
	LastKind model.ChangeKind `json:"l,omitempty"`
	LastID   int64            `json:"i,omitempty"`
}

const (
	positionVersion = 1
	// cursorSize is the length of every position, so that the length of a cursor tells
	// nothing.
	cursorSize = 768
	keyIDSize  = 8
	sealSize   = 12 + 16 // nonce and tag of AES-GCM
)

// cursorKeys are the keys of Options.CursorKeys: the first seals, all of them open.
type cursorKeys struct {
	read func(again bool) ([][]byte, error)
	keys atomic.Pointer[[]cursorKey]
}

type cursorKey struct {
	id   [keyIDSize]byte
	aead cipher.AEAD
}

// load returns the keys, or reads them again.
func (k *cursorKeys) load(again bool) ([]cursorKey, error) {
	if known := k.keys.Load(); known != nil && !again {
		return *known, nil
	}
	secrets, err := k.read(again)
	if err != nil {
		return nil, fmt.Errorf("keys of cursors: %w", err)
	}
	keys := make([]cursorKey, len(secrets))
	for i, secret := range secrets {
		if keys[i], err = newCursorKey(secret); err != nil {
			return nil, fmt.Errorf("keys of cursors: %w", err)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("keys of cursors: there is none")
	}
	k.keys.Store(&keys)
	return keys, nil
}

func newCursorKey(secret []byte) (key cursorKey, err error) {
	derived, err := hkdf.Key(sha256.New, secret, nil, "cursor: key and id", sha256.Size+keyIDSize)
	if err != nil {
		return key, err
	}
	block, err := aes.NewCipher(derived[:sha256.Size])
	if err != nil {
		return key, err
	}
	copy(key.id[:], derived[sha256.Size:])
	key.aead, err = cipher.NewGCMWithRandomNonce(block)
	return key, err
}

// seal returns the cursor of an account. If the position does not fit, its snapshots lose
// the list of running transactions: the device gets some records again.
func (k *cursorKeys) seal(account int64, p position) (string, error) {
	keys, err := k.load(false)
	if err != nil {
		return "", err
	}
	p.Version = positionVersion
	text, err := json.Marshal(p)
	if err == nil && len(text) > cursorSize {
		p.Base, p.Round = coarse(p.Base), coarse(p.Round)
		text, err = json.Marshal(p)
	}
	if err != nil {
		return "", fmt.Errorf("seal a cursor: %w", err)
	}
	if len(text) > cursorSize {
		return "", errors.New("seal a cursor: it is too long")
	}
	text = append(text, bytes.Repeat([]byte(" "), cursorSize-len(text))...)
	sealed := keys[0].aead.Seal(keys[0].id[:], nil, text, ownerOf(account)) //nolint:gosec // G407: the sealer makes the nonce
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// open returns the position in a cursor, or false if it is none of this account.
func (k *cursorKeys) open(account int64, cursor string) (p position, ok bool, err error) {
	if len(cursor) != base64.RawURLEncoding.EncodedLen(keyIDSize+sealSize+cursorSize) {
		return p, false, nil
	}
	sealed := make([]byte, keyIDSize+sealSize+cursorSize)
	if n, _ := base64.RawURLEncoding.Decode(sealed, []byte(cursor)); n != len(sealed) {
		return p, false, nil
	}
	key, err := k.find(sealed[:keyIDSize])
	if err != nil || key == nil {
		return p, false, err
	}
	p, ok = key.open(account, sealed[keyIDSize:])
	return p, ok, nil
}

func (k *cursorKey) open(account int64, sealed []byte) (p position, ok bool) {
	text, err := k.aead.Open(nil, nil, sealed, ownerOf(account))
	if err != nil || json.Unmarshal(text, &p) != nil || p.Version != positionVersion {
		return position{}, false
	}
	return p, true
}

// find returns the key with an id, or nil. Another server may have rotated the keys.
func (k *cursorKeys) find(id []byte) (*cursorKey, error) {
	for _, again := range []bool{false, true} {
		keys, err := k.load(again)
		if err != nil {
			return nil, err
		}
		for i := range keys {
			if bytes.Equal(keys[i].id[:], id) {
				return &keys[i], nil
			}
		}
	}
	return nil, nil //nolint:nilnil // no key has the id
}

func ownerOf(account int64) []byte { return strconv.AppendInt(nil, account, 10) }

// coarse returns a snapshot in which every transaction counts as running that is not
// older than the oldest running one.
func coarse(snapshot string) string {
	oldest, _, found := strings.Cut(snapshot, ":")
	if !found {
		return ""
	}
	return oldest + ":" + oldest + ":"
}
