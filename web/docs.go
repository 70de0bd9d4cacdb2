package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed docs/plain
var plainDocs embed.FS

// docsPolicy is pagePolicy plus the images in the style sheet of Swagger UI.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const (
	docsPage   = "/docs/"
	rightsPage = "/rights/"
)

// Docs serves the description of the REST addresses: GET /openapi.json, the given
// document, and GET /docs/, a page where people can try them. The page is Swagger
// UI or, if that was not built, a plain list of the addresses. GET /swagger/ and
// GET /redoc/ redirect to it permanently. GET /rights/ is the table of who sees and
// sets what; if that was not built, it redirects to the text of the schema, which
// has the same rules. All other paths are 404.
func Docs(openapi []byte) (http.Handler, error) {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return newDocs(app, openapi)
}

// newDocs returns the handler of the apps in the directories docs and rights of the
// files, which may be missing.
func newDocs(app fs.FS, openapi []byte) (http.Handler, error) {
	pages := site{}
	if err := errors.Join(pages.addDocs(app), pages.addBuilt(app, rightsPage, pagePolicy)); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+docsPage, pages)
	mux.Handle("GET "+rightsPage, pages)
	if pages[rightsPage] == nil {
		mux.Handle("GET "+rightsPage+"{$}", http.RedirectHandler("/schema.graphqls", http.StatusTemporaryRedirect))
	}
	mux.Handle("GET /openapi.json", newBlob("application/json", revalidate, openapi))
	moved := http.RedirectHandler(docsPage, http.StatusPermanentRedirect)
	mux.Handle("GET /swagger/", moved)
	mux.Handle("GET /redoc/", moved)
	return mux, nil
}

// addDocs adds the app or, without one, the plain list.
func (s site) addDocs(app fs.FS) error {
	if err := s.addBuilt(app, docsPage, docsPolicy); err != nil || s[docsPage] != nil {
		return err
	}
	own, err := fs.Sub(plainDocs, "docs/plain")
	if err != nil {
		return err
	}
	return s.addFiles(own, docsPage, pagePolicy)
}

// addBuilt adds the app in the directory of the files that the address names. It
// adds nothing if that app was not built.
func (s site) addBuilt(app fs.FS, address, policy string) error {
	directory := strings.Trim(address, "/")
	if found, err := fs.Glob(app, directory+"/index.html"+packed); err != nil || len(found) == 0 {
		return err
	}
	built, err := fs.Sub(app, directory)
	if err != nil {
		return err
	}
	all := site{}
	if err := all.addApp(built); err != nil {
		return err
	}
	for below, f := range all {
		f.policy = policy
		s[address+below[1:]] = f
	}
	return nil
}

// addFiles adds files without changes, below an address.
func (s site) addFiles(files fs.FS, below, policy string) error {
	return walk(files, func(name string) error {
		f, err := newFile(files, name)
		if err != nil {
			return err
		}
		f.policy, f.cache = policy, revalidate
		if name == "index.html" {
			name = ""
		}
		s[below+name] = f
		return nil
	})
}
