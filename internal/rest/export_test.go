package rest

import "net/http"

// Documents returns the document of each address that can be read.
func Documents() map[string]string {
	all := map[string]string{}
	for _, r := range rows(Options{}) {
		if r.method == http.MethodGet {
			all[r.path] = r.document
		}
	}
	return all
}
