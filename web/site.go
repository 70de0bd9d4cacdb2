package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// pagePolicy allows only content from this server, and no code or style in the page itself.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	immutable  = "public, max-age=31536000, immutable" // the name contains a hash of the content
	revalidate = "no-cache"
)

const plainPage = "/assets/plain/"

// site maps the path of a request to its file. A path is only looked up and never
// joined to a directory, so path traversal is impossible.
type site map[string]*file

// newSite returns the site of an app, which may be empty, and of the plain page.
func newSite(app, plain fs.FS) (site, error) {
	s := site{}
	if err := s.addFiles(plain, plainPage, pagePolicy); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	s["/"] = s[plainPage]
	if err := s.addApp(app); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	return s, nil
}

// addApp adds the gzip copies under the names of their content.
func (s site) addApp(app fs.FS) error {
	return walk(app, func(name string) error {
		if path.Ext(name) != packed {
			return nil
		}
		f, err := newFile(app, name)
		if err != nil {
			return err
		}
		f.policy, f.cache = pagePolicy, revalidate
		address := "/" + strings.TrimSuffix(strings.TrimSuffix(name, packed), "index.html")
		if strings.HasPrefix(address, "/assets/") {
			f.cache = immutable // everything that Vite puts there
		}
		s[address] = f
		return nil
	})
}

// walk calls f with the name of every file.
func walk(files fs.FS, f func(name string) error) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return f(name)
	})
}

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f, ok := s[r.URL.Path]; ok {
		f.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}
