// Package web holds what people open in a browser: the playground; a plain
// page of our own that serves the same purpose where the playground was not
// built; and a text for servers that are to have neither. All of it is in the
// binary. It opens no file, asks no other host and knows nothing of patients.
package web

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
)

var (
	//go:embed all:dist
	dist embed.FS // the app as its build leaves it: gzip copies only; without node nothing but .gitkeep
	//go:embed plain
	plain embed.FS
	//go:embed start.txt
	start string
)

// Handler serves GET / and GET /assets/. With the playground / is the app, or
// the plain page if the app was not built; the plain page is at /assets/plain/
// in any case, for slow lines. Without it / is a text with our addresses, and
// there are no assets. All other paths are 404.
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

// addresses is the site of a server without playground.
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

// Text serves a text that never changes while the server runs.
func Text(contentType, text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write([]byte(text))
	})
}
