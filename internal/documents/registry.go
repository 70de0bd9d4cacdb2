// Package documents finds the GraphQL documents that requests name and do not send: those
// that the operator registered, and those that a client sent before with their hash
// (automatic persisted queries). It never parses a document. A name gives no right: the
// caller is checked as if the text had come.
package documents

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Document is a document that the operator registered.
type Document struct {
	// ID is the name that requests send: any text, or the SHA-256 of Text in hexadecimal.
	ID, Text string
	// Source says where the document comes from, in errors.
	Source string
}

// Registry holds documents by their names. It is safe for concurrent use. A nil Registry
// has none and takes none.
type Registry struct {
	registered map[string]string
	texts      map[string]bool // of the registered documents
	only       bool
	// sent has what clients with an account sent. The others have a cache of their own: they
	// cannot evict these documents, however many they send.
	sent, anonymous *cache
}

// The bounds of the documents that clients send: 1,000 documents and 4 MB together.
const (
	maxDocuments, maxBytes                   = 900, 3_600_000
	maxAnonymousDocuments, maxAnonymousBytes = 100, 400_000
)

// New returns a registry. With only, it admits and finds registered documents alone. The
// error names all documents whose name is missing, is the SHA-256 of another text, or has
// two texts.
func New(registered []Document, only bool) (*Registry, error) {
	r := &Registry{
		registered: map[string]string{}, texts: map[string]bool{}, only: only,
		sent: newCache(maxDocuments, maxBytes), anonymous: newCache(maxAnonymousDocuments, maxAnonymousBytes),
	}
	var broken []error
	for _, d := range registered {
		if err := r.register(d); err != nil {
			broken = append(broken, fmt.Errorf("%s: document %q: %w", d.Source, d.ID, err))
		}
	}
	return r, errors.Join(broken...)
}

func (r *Registry) register(d Document) error {
	name := normal(d.ID)
	other, taken := r.registered[name]
	switch {
	case name == "":
		return errors.New("it has no id")
	case isHash(name) && name != Hash(d.Text):
		return errors.New("the id is the SHA-256 of another text")
	case taken && other != d.Text:
		return errors.New("another document has the same id")
	}
	r.registered[name], r.texts[d.Text] = d.Text, true
	return nil
}

// Only reports whether registered documents are the only ones.
func (r *Registry) Only() bool { return r != nil && r.only }

// Admits reports whether a request may send the text of a document.
func (r *Registry) Admits(text string) bool { return !r.Only() || r.texts[text] }

// Find returns the text of a document by the name that a request sent.
func (r *Registry) Find(name string) (text string, ok bool) {
	if r == nil {
		return "", false
	}
	name = normal(name)
	if text, ok = r.registered[name]; ok {
		return text, true
	}
	if text, ok = r.sent.get(name); ok {
		return text, true
	}
	return r.anonymous.get(name)
}

// Add keeps a document that a client sent with its hash. Call it for documents that can be
// executed: what does not parse or exceeds a limit would only take the place of others.
func (r *Registry) Add(hash, text string, hasAccount bool) {
	switch {
	case r == nil || r.only:
	case hasAccount:
		r.sent.add(normal(hash), text)
	default:
		r.anonymous.add(normal(hash), text)
	}
}

// Hash returns the SHA-256 of a text in hexadecimal.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const hashLength = 2 * sha256.Size

// normal returns the one form of a name. GraphQL over HTTP lets a hash begin with sha256:.
func normal(name string) string {
	if hash := strings.TrimPrefix(name, "sha256:"); len(hash) == hashLength {
		return strings.ToLower(hash)
	}
	return name
}

func isHash(name string) bool {
	_, err := hex.DecodeString(name)
	return err == nil && len(name) == hashLength
}
