package host

import (
	"errors"
	"io"
	"os"
)

// maxPrivate is the size in bytes of the largest file that ReadPrivate reads.
const maxPrivate = 1 << 20

// ReadPrivate returns the content of a file with a secret. It refuses a file that other
// users of the machine can read or write. Its errors never contain the content.
func ReadPrivate(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // G304: the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode()&0o006 != 0 {
		return nil, errors.New("other users can read or write " + path + ": run chmod o-rw on it")
	}
	content, err := io.ReadAll(io.LimitReader(file, maxPrivate+1))
	if err == nil && len(content) > maxPrivate {
		err = errors.New(path + " is longer than a secret")
	}
	return content, err
}
