package check

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// Machine is what the checks of files and of the process look at.
type Machine struct {
	// DataDir is that of the private PostgreSQL; "" for another one.
	DataDir string
	Keys    string // file
	// ArchiveDir is where PostgreSQL archives its log; "" for nowhere.
	ArchiveDir string
	// Free are the free bytes of the disk with the data, MinFree those that a server needs.
	Free, MinFree int64
	// LastBackup is zero if there was none.
	LastBackup time.Time
	Now        time.Time
	// ExecutableDeleted reports whether the packages of PostgreSQL were replaced.
	ExecutableDeleted bool
	// Addr is that of the server, Encrypted whether it or a known proxy speaks TLS.
	Addr      string
	Encrypted bool
	// OpenFiles is how many files the server may open, Pools how many of them are connections
	// to PostgreSQL, Streams how many an account may hold open.
	OpenFiles int64
	Pools     int
	Streams   int
}

// oldBackup is the age of a nightly backup that has failed once.
const oldBackup = 26 * time.Hour

// Check runs the checks that ask no database.
func (m Machine) Check() []Finding {
	all := []Finding{mode("keys", m.Keys, 0o077, "others can read it, and sign tokens"), m.address(), m.openFiles()}
	if m.DataDir == "" {
		return all
	}
	return append(all, mode("data directory", m.DataDir, 0o066, "others can list or change it"), m.owner(), m.disk(), m.backup(), m.archive(), m.executable())
}

// ownFiles are those of a server next to its connections, such as its log.
const ownFiles = 32

// fewSockets is a number of clients that a hospital has.
const fewSockets = 1000

// openFiles compares the limit with the connections of the server.
func (m Machine) openFiles() Finding {
	left := m.OpenFiles - int64(m.Pools) - ownFiles
	f := Finding{"process", "open files", Good, fmt.Sprintf("the limit of %d leaves %d sockets for clients", m.OpenFiles, max(left, 0))}
	switch {
	case left < int64(m.Streams):
		f.Level, f.Text = Failure, f.Text+", fewer than --max-streams of one account: raise it (LimitNOFILE, ulimit -n)"
	case left < fewSockets:
		f.Level, f.Text = Warning, f.Text+": raise it (LimitNOFILE, ulimit -n)"
	}
	return f
}

// owner fails if the server cannot read its keys.
func (m Machine) owner() Finding {
	keys, data := uid(m.Keys), uid(m.DataDir)
	if keys >= 0 && data >= 0 && keys != data {
		return Finding{"files", "owner", Failure, m.Keys + " belongs to another user than " + m.DataDir + ": one of them is not the server's"}
	}
	return Finding{"files", "owner", Good, "as it should be"}
}

// uid returns the owner of a file, -1 if it is not known.
func uid(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1
	}
	return int64(stat.Uid)
}

// archive looks at the newest file of the archive.
func (m Machine) archive() Finding {
	if m.ArchiveDir == "" {
		return Finding{"files", "archive", Good, "none"}
	}
	entries, err := os.ReadDir(m.ArchiveDir)
	if err != nil {
		return Finding{"files", "archive", Failure, err.Error() + ": set --archive-dir to the directory of the server"}
	}
	var newest time.Time
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	if newest.IsZero() {
		return Finding{"files", "archive", Warning, "it is empty: start the server with --archive-dir"}
	}
	return Finding{"files", "archive", Good, fmt.Sprintf("%d files, the newest of %s", len(entries), newest.UTC().Format(time.RFC3339))}
}

// mode refuses the bits of others.
func mode(name, path string, bits fs.FileMode, advice string) Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Finding{"files", name, Warning, path + " is not there yet: the first start makes it"}
	case err != nil:
		return Finding{"files", name, Failure, err.Error()}
	case info.Mode().Perm()&bits != 0:
		return Finding{"files", name, Failure, fmt.Sprintf("%s has mode %04o: %s", path, info.Mode().Perm(), advice)}
	default:
		return Finding{"files", name, Good, "as it should be"}
	}
}

func (m Machine) disk() Finding {
	f := Finding{"files", "free disk", Good, fmt.Sprintf("%d MiB", m.Free>>20)}
	switch {
	case m.Free < m.MinFree:
		f.Level, f.Text = Failure, f.Text+": only administrators can store anything below --min-free-disk"
	case m.Free < 2*m.MinFree:
		f.Level, f.Text = Warning, f.Text+": near --min-free-disk"
	}
	return f
}

func (m Machine) backup() Finding {
	age := m.Now.Sub(m.LastBackup)
	switch {
	case m.LastBackup.IsZero():
		return Finding{"files", "backup", Warning, "there was none: run caregraph backup each night"}
	case age > oldBackup:
		return Finding{"files", "backup", Warning, fmt.Sprintf("the last one is %s old", age.Round(time.Hour))}
	default:
		return Finding{"files", "backup", Good, m.LastBackup.Format(time.RFC3339)}
	}
}

func (m Machine) executable() Finding {
	if m.ExecutableDeleted {
		return Finding{"process", "PostgreSQL", Failure, "its packages were replaced: restart the server to use the new ones"}
	}
	return Finding{"process", "PostgreSQL", Good, "runs what is installed"}
}

// address warns if other machines reach the server without TLS.
func (m Machine) address() Finding {
	host, _, _ := net.SplitHostPort(m.Addr)
	ip, err := netip.ParseAddr(host)
	if strings.HasPrefix(m.Addr, "unix:") || host == "localhost" || err == nil && ip.Unmap().IsLoopback() || m.Encrypted {
		return Finding{"process", "address", Good, "as it should be"}
	}
	return Finding{"process", "address", Warning, "--addr is open to other machines without TLS: set --tls-cert and --tls-key, or put a proxy in front and name it with --trusted-proxies"}
}
