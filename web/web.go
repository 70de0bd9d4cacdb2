// Package web holds the pages for browsers: the playground; a plain page with
// the same purpose for binaries without the playground; and a text for servers
// that should have neither. Everything is embedded in the binary. The package
// never opens a file, calls another host or handles patient data.
package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
)

var (
	//go:embed all:dist
	dist embed.FS // the built app: gzip copies only; without Node only .gitkeep
	//go:embed plain
	plain embed.FS
	//go:embed start.txt
	start string
)

// Handler serves GET / and GET /assets/. With the playground, / is the app, or
// the plain page if the app was not built; the plain page is always at
// /assets/plain/ too, for slow connections. Without the playground, / is a text
// with the server's addresses, and there are no assets. All other paths are 404.
func Handler(playground bool) (http.Handler, error) {
	if !playground {
		return addresses(), nil
	}
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	page, err := fs.Sub(plain, "plain")
	if err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	return newSite(app, page)
}

// addresses returns the site of a server without a playground.
func addresses() http.Handler {
	text := Text("text/plain; charset=utf-8", start)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		text.ServeHTTP(w, r)
	})
}

// Text serves a fixed text.
func Text(contentType, text string) http.Handler {
	return Bytes(contentType, func() []byte { return []byte(text) })
}

// Bytes serves what content returns at each request.
func Bytes(contentType string, content func() []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(content())
	})
}
