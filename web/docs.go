package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
)

//go:embed docs/plain
var plainDocs embed.FS

// docsPolicy is pagePolicy plus the images in the style sheet of Swagger UI.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const docsPage = "/docs/"

// Docs serves the description of the REST addresses: GET /openapi.json, the given
// document, and GET /docs/, a page where people can try them. The page is Swagger
// UI or, if that was not built, a plain list of the addresses. GET /swagger/ and
// GET /redoc/ redirect to it permanently. All other paths are 404.
func Docs(openapi []byte) (http.Handler, error) {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return newDocs(app, openapi)
}

// newDocs returns the handler of the app in the directory docs of the files,
// which may be missing.
func newDocs(app fs.FS, openapi []byte) (http.Handler, error) {
	pages := site{}
	if err := pages.addDocs(app); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+docsPage, pages)
	mux.Handle("GET /openapi.json", newBlob("application/json", revalidate, openapi))
	moved := http.RedirectHandler(docsPage, http.StatusPermanentRedirect)
	mux.Handle("GET /swagger/", moved)
	mux.Handle("GET /redoc/", moved)
	return mux, nil
}

// addDocs adds the app or, without one, the plain list.
func (s site) addDocs(app fs.FS) error {
	if _, err := fs.Stat(app, "docs/index.html"+packed); err != nil {
		own, err := fs.Sub(plainDocs, "docs/plain")
		if err != nil {
			return err
		}
		return s.addFiles(own, docsPage, pagePolicy)
	}
	built, err := fs.Sub(app, "docs")
	if err != nil {
		return err
	}
	all := site{}
	if err := all.addApp(built); err != nil {
		return err
	}
	for address, f := range all {
		f.policy = docsPolicy
		s[docsPage+address[1:]] = f
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
