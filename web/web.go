// Package web holds the pages for browsers: the playground; a plain page with
// the same purpose for binaries without the playground; a text for servers
// that should have neither; the pages of the REST addresses and of the rights;
// and the page behind the links of mails. Everything is embedded in the binary. The package
// never opens a file, calls another host or handles patient data.
package web

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"regexp"
)

var (
	//go:embed all:dist
	dist embed.FS // the built app: gzip copies only; without Node only .gitkeep
	//go:embed plain
	plain embed.FS
	//go:embed account
	account embed.FS
	//go:embed start.txt
	start string
)

const accountPage = "/account/"

// Handler serves GET /, GET /assets/ and GET /account/, the page behind the links of
// mails. With the playground, / is the app, or the plain page if the app was not built; the
// plain page is always at /assets/plain/ too, for slow connections. Without the playground,
// / is a text with the server's addresses, and there are no assets. All other paths are 404.
func Handler(playground bool) (http.Handler, error) {
	pages, err := accounts()
	if err != nil {
		return nil, err
	}
	if !playground {
		return addresses(pages), nil
	}
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	page, err := fs.Sub(plain, "plain")
	if err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	s, err := newSite(app, page)
	if err != nil {
		return nil, err
	}
	maps.Copy(s, pages)
	return s, nil
}

// Documents returns the GraphQL documents that the page behind the links of mails sends.
func Documents() (texts []string) {
	script, _ := account.ReadFile("account/account.js") // it is embedded
	for _, found := range regexp.MustCompile("`(mutation[^`]+)`").FindAllSubmatch(script, -1) {
		texts = append(texts, string(found[1]))
	}
	return texts
}

// accounts returns the page behind the links of mails.
func accounts() (site, error) {
	files, err := fs.Sub(account, "account")
	if err != nil {
		return nil, fmt.Errorf("account page: %w", err)
	}
	s := site{}
	if err := s.addFiles(files, accountPage, pagePolicy); err != nil {
		return nil, fmt.Errorf("account page: %w", err)
	}
	return s, nil
}

// addresses returns the site of a server without a playground.
func addresses(others http.Handler) http.Handler {
	text := Text("text/plain; charset=utf-8", start)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			others.ServeHTTP(w, r)
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
