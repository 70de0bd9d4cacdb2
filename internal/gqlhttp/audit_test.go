package gqlhttp

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// audit is one check of the GraphQL-over-HTTP specification, under its id in
// graphql-http's list of server audits.
type audit struct {
	id, says string
	get      url.Values
	content  string
	body     string
	accept   string
	status   int
	media    string
	errors   bool
}

// audits mirrors that list. A comment marks where the list is older than the
// specification and audits differs from it.
func audits() []audit {
	const query = `{"query":"{__typename}"}`
	list := []audit{
		{id: "22EB", says: "application/graphql-response+json is accepted and matched", body: query, accept: mediaResponse, status: 200, media: mediaResponse},
		{id: "4655", says: "application/json is accepted and matched", body: query, accept: mediaJSON, status: 200, media: mediaJSON},
		// 47DE and 80D8 expect application/json here, as before 2025.
		{id: "47DE", says: "*/* is accepted", body: query, accept: "*/*", status: 200, media: mediaResponse},
		{id: "80D8", says: "a missing Accept is accepted", body: query, status: 200, media: mediaResponse},
		{id: "406", says: "no supported media type", body: query, accept: "text/html", status: 406, media: mediaJSON, errors: true},
		{id: "BF61", says: "charset=utf-8 is accepted", content: "application/json; charset=utf-8", body: query, status: 200},
		{id: "78D5", says: "utf-8 is assumed", body: `{"query":"{a:__typename #ü\n}"}`, status: 200},
		{id: "2C94", says: "POST is accepted", body: query, status: 200},
		{id: "5A70", says: "GET is accepted", get: url.Values{"query": {"{__typename}"}}, status: 200},
		{id: "9C48", says: "no mutation over GET", get: url.Values{"query": {"mutation{__typename}"}}, accept: mediaResponse, status: 405, errors: true},
		{id: "9ABE", says: "a missing content type", content: "-", status: 415, errors: true},
		{id: "03D4", says: "application/json is accepted", body: query, status: 200},
		{id: "7267", says: "a body is required", status: 400, errors: true},
		{id: "D6D5", says: "variables over GET", get: url.Values{"query": {"query($n:Int!){find(id:$n)}"}, "variables": {`{"n":1}`}}, accept: mediaResponse, status: 200},
		{id: "6A70", says: "variables over GET", get: url.Values{"query": {"query($n:Int!){find(id:$n)}"}, "variables": {`{"n":1}`}}, accept: mediaJSON, status: 200},
		{id: "GET1", says: "variables that are no JSON", get: url.Values{"query": {"{name}"}, "variables": {"{"}}, status: 400, errors: true},
		{id: "GET2", says: "variables that are no map", get: url.Values{"query": {"{name}"}, "variables": {"[]"}}, status: 400, errors: true},
		{id: "GET3", says: "no query", get: url.Values{"variables": {"{}"}}, status: 400, errors: true},
		{id: "GET4", says: "an operation named null", get: url.Values{"query": {"query null{name}"}, "operationName": {"null"}}, status: 200},
	}
	// Malformed requests: 400 in both media types. The list expects 200 in
	// application/json (3715, 9FE, FB9, F05, 368, D477, F5AF), which the
	// specification discourages.
	malformed := map[string][]string{
		"6610/3715": {`{"notquery":"{__typename}"}`, `{"qeury":"{__typename}"}`, `{"Query":"{__typename}"}`, `{}`, `{"query":null}`},
		"60AA/D477": {`{ "not a JSON`, `NONSENSE`, `{"query":`, query + query, `null`, `"a"`, `[` + query + `]`, ``},
	}
	for parameter, id := range map[string]string{"query": "4F5/9FE", "operationName": "E3E/FB9"} {
		for _, invalid := range []string{`{"obj":"ect"}`, `0`, `false`, `["array"]`} {
			malformed[id] = append(malformed[id], `{"query":"{__typename}","`+parameter+`":`+invalid+`}`)
		}
	}
	for parameter, id := range map[string]string{"variables": "69B/F05", "extensions": "904/368"} {
		for _, invalid := range []string{`"string"`, `0`, `false`, `["array"]`} {
			malformed[id] = append(malformed[id], `{"query":"{__typename}","`+parameter+`":`+invalid+`}`)
		}
	}
	for id, bodies := range malformed {
		for i, body := range bodies {
			for _, media := range []string{mediaResponse, mediaJSON} {
				list = append(list, audit{id: fmt.Sprintf("%s.%d", id, i), says: "not well-formed in " + media, body: body, accept: media, status: 400, media: media, errors: true})
			}
		}
	}
	// Requests that are.
	for id, body := range map[string]string{
		"34A2/13EE": `{"query":"{__typename}"}`,
		"8161/B8B3": `{"query":"query Query{__typename}","operationName":"Query"}`,
		"94B/0220":  `{"query":"{__typename}","variables":null}`,
		"94B/0221":  `{"query":"{__typename}","operationName":null}`,
		"94B/0222":  `{"query":"{__typename}","extensions":null}`,
		"2EA1/28B9": `{"query":"query Type($name:String!){__type(name:$name){name}}","variables":{"name":"sometype"}}`,
		"428F/1B7A": `{"query":"{__typename}","extensions":{"some":"value"}}`,
		"unknown":   `{"query":"{__typename}","unknown":[1],"query":"{name}"}`,
	} {
		for _, media := range []string{mediaResponse, mediaJSON} {
			list = append(list, audit{id: id, says: "well-formed in " + media, body: body, accept: media, status: 200, media: media})
		}
	}
	// Well-formed requests that cannot be executed.
	for id, body := range map[string]string{
		"865D,556A,D586/572B": `{"query":"{"}`,
		"51FE,74FF,5E5B/FDE2": `{"query":"{ f8f31403dfe404bccbb0e835f2629c6a7 }"}`,
		"empty query":         `{"query":""}`,
		"no such operation":   `{"query":"query a{name}","operationName":"b"}`,
		"which operation":     `{"query":"query a{name} query b{name}"}`,
		"variables":           `{"query":"query($n:Int!){find(id:$n)}","variables":{"n":null}}`,
	} {
		list = append(list,
			audit{id: id, says: "not executable", body: body, accept: mediaResponse, status: 400, media: mediaResponse, errors: true},
			audit{id: id, says: "not executable", body: body, accept: mediaJSON, status: 200, media: mediaJSON, errors: true})
	}
	return list
}

func TestTransport_PassesTheAuditsOfTheSpecification(t *testing.T) {
	t.Parallel()
	base := serve(t)
	for _, a := range audits() {
		t.Run(a.id+" "+a.says, func(t *testing.T) {
			t.Parallel()
			got := a.run(t, base)
			if got.status != a.status {
				t.Errorf("status %d, want %d: %s", got.status, a.status, got.text)
			}
			if content := got.header.Get("Content-Type"); !strings.HasPrefix(content, a.media) || !strings.HasSuffix(content, "; charset=utf-8") {
				t.Errorf("Content-Type %q, want %q", content, a.media)
			}
			_, errors := got.body["errors"]
			_, data := got.body["data"]
			if errors != a.errors || data == a.errors {
				t.Errorf("errors: %t, data: %t: %s", errors, data, got.text)
			}
		})
	}
}

func (a audit) run(t *testing.T, base string) answer {
	t.Helper()
	header := map[string]string{}
	if a.accept != "" {
		header["Accept"] = a.accept
	}
	if a.get != nil {
		return get(t, base, a.get, header)
	}
	header["Content-Type"] = a.content
	switch a.content {
	case "":
		header["Content-Type"] = mediaJSON
	case "-":
		delete(header, "Content-Type")
	}
	return send(t, http.MethodPost, base, a.body, header)
}
