package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// The members of a backup. A physical one has the cluster below clusterPrefix, a dump its
// parts below dumpPrefix, in their order.
const (
	manifestName  = "manifest.json"
	keysName      = "keys.json"
	clusterPrefix = "postgres/"
	dumpPrefix    = "dump/"

	maxManifest = 256 << 20
)

// The formats of a backup.
const (
	Physical = "physical"
	Dump     = "dump"
)

// Manifest describes a backup. It is its last member.
type Manifest struct {
	Format     string    `json:"format"` // Physical or Dump
	Version    string    `json:"version"`
	Revision   string    `json:"revision"`
	Schema     string    `json:"schema"`     // the newest migration
	PostgreSQL string    `json:"postgresql"` // such as "15.18"
	Major      int       `json:"major"`
	System     string    `json:"system_identifier"`
	StartedAt  time.Time `json:"started_at"`
	EndedAt    time.Time `json:"ended_at"`
	// StartLSN, StopLSN and RestorePoint are those of a physical backup. The restore point
	// is the moment of Rows.
	StartLSN     string `json:"start_lsn,omitempty"`
	StopLSN      string `json:"stop_lsn,omitempty"`
	RestorePoint string `json:"restore_point,omitempty"`
	// Rows are the numbers of rows of all tables at one moment, by table.
	Rows map[string]int64 `json:"rows"`
	// Members are the SHA-256 of all other members in hex, by name.
	Members map[string]string `json:"members"`
}

// members writes the members of a backup.
type members struct {
	tar    *tar.Writer
	hashes map[string]string
}

func newMembers(w io.Writer) *members { return &members{tar.NewWriter(w), map[string]string{}} }

// add writes a member with the header's name, size, mode and time.
func (m *members) add(header *tar.Header, content io.Reader) error {
	if err := m.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("write %s: %w", header.Name, err)
	}
	if header.Typeflag != tar.TypeReg {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(m.tar, sum), content); err != nil {
		return fmt.Errorf("write %s: %w", header.Name, err)
	}
	m.hashes[header.Name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}

func (m *members) addFile(name string, content []byte) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: time.Now().Truncate(time.Second)}
	return m.add(header, strings.NewReader(string(content)))
}

// end writes the manifest, which has the hashes already, and ends the tar.
func (m *members) end(manifest Manifest) error {
	text, err := json.MarshalIndent(manifest, "", " ")
	if err != nil {
		return err
	}
	// Its own hash is not a member of it.
	header := &tar.Header{Typeflag: tar.TypeReg, Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: manifest.EndedAt}
	if err := m.tar.WriteHeader(header); err != nil {
		return err
	}
	if _, err := m.tar.Write(text); err != nil {
		return err
	}
	return m.tar.Close()
}

// readMembers calls use for each member but the manifest, and compares all of them with
// the manifest. use need not read the content to its end. The error is a *DamagedError
// that names the first part that is not as it was written.
func readMembers(plain io.Reader, use func(*tar.Header, io.Reader) error) (Manifest, error) {
	var manifest Manifest
	found, at := map[string]string{}, "the beginning"
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		switch {
		case errors.Is(err, io.EOF):
			return manifest, checkMembers(manifest, found, plain)
		case err != nil:
			return manifest, &DamagedError{Part: "what follows " + at, Err: err}
		case manifest.Members != nil:
			return manifest, &DamagedError{Part: "what follows " + at, Err: errors.New("the manifest is not the last member")}
		}
		at = "member " + header.Name
		if header.Name == manifestName {
			if err := json.NewDecoder(io.LimitReader(archive, maxManifest)).Decode(&manifest); err != nil {
				return manifest, &DamagedError{Part: at, Err: err}
			}
			continue
		}
		if err := checkHeader(header); err != nil {
			return manifest, &DamagedError{Part: at, Err: err}
		}
		content := &hashed{Reader: archive, sum: sha256.New()}
		if err := use(header, content); err != nil && content.failed == nil {
			return manifest, err
		}
		_, _ = io.Copy(io.Discard, content) // its error is content.failed
		if content.failed != nil {
			return manifest, &DamagedError{Part: at, Err: content.failed}
		}
		if header.Typeflag == tar.TypeReg {
			found[header.Name] = hex.EncodeToString(content.sum.Sum(nil))
		}
	}
}

// hashed keeps the hash of what was read, and the error that ended it.
type hashed struct {
	io.Reader

	sum    hash.Hash
	failed error
}

func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	h.sum.Write(p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		h.failed = err
	}
	return n, err
}

// checkHeader refuses a member that would leave the directory it is restored to.
func checkHeader(header *tar.Header) error {
	name := path.Clean(header.Name)
	inside := strings.HasPrefix(name+"/", clusterPrefix) || strings.HasPrefix(name, dumpPrefix) || name == keysName
	if !inside || !filepath.IsLocal(name) || header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeDir {
		return errors.New("a backup has no such member")
	}
	return nil
}

// checkMembers compares the hashes that were found with those of the manifest, and reads
// the stream to its end, where the encryption proves that nothing was cut off.
func checkMembers(manifest Manifest, found map[string]string, plain io.Reader) error {
	if manifest.Members == nil {
		return &DamagedError{Part: "member " + manifestName, Err: fs.ErrNotExist}
	}
	more, err := io.Copy(io.Discard, plain)
	if err == nil && more > 0 {
		err = errors.New("more follows it")
	}
	if err != nil {
		return &DamagedError{Part: "the end", Err: err}
	}
	for name, sum := range found {
		switch manifest.Members[name] {
		case sum:
		case "":
			return &DamagedError{Part: "member " + name, Err: errors.New("the manifest does not know it")}
		default:
			return &DamagedError{Part: "member " + name, Err: errors.New("its SHA-256 is another one than in the manifest")}
		}
	}
	for name := range manifest.Members {
		if found[name] == "" {
			return &DamagedError{Part: "member " + name, Err: fs.ErrNotExist}
		}
	}
	return nil
}
