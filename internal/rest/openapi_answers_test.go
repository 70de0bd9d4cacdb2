package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/rest"
	"github.com/caregraph/caregraph/internal/testutil"
)

// described is the description with a validator for its schemas.
type described struct {
	t        *testing.T
	document map[string]any
	compiler *jsonschema.Compiler
}

const documentURL = "mem:///openapi.json"

func describe(t *testing.T) described {
	t.Helper()
	text, err := rest.OpenAPI(schema(t), "1.2.3")
	testutil.Must(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	testutil.Must(t, err)
	document, _ := parsed.(map[string]any)
	for _, component := range at(document, "components", "schemas") {
		// An answer must hold nothing that is not described.
		if s, ok := component.(map[string]any); ok && s["properties"] != nil {
			s["additionalProperties"] = false
		}
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	testutil.Must(t, compiler.AddResource(documentURL, document))
	return described{t, document, compiler}
}

// at walks down objects; what is not there is empty.
func at(value map[string]any, names ...string) map[string]any {
	for _, name := range names {
		value, _ = value[name].(map[string]any)
	}
	return value
}

// check holds an answer against the description of its status.
func (d described) check(method, path string, got reply) {
	d.t.Helper()
	response := at(d.document, "paths", path, strings.ToLower(method), "responses", strconv.Itoa(got.status))
	pointer := "/paths/" + escape(path) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(got.status)
	if ref, ok := response["$ref"].(string); ok {
		pointer = strings.TrimPrefix(ref, "#")
		response = at(d.document, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	if response == nil {
		d.t.Errorf("%s %s: %d is not described", method, path, got.status)
		return
	}
	for name := range at(response, "headers") {
		if got.header.Get(name) == "" && name != "Idempotency-Replayed" { // for an answer that comes again
			d.t.Errorf("%s %s: %d without %s", method, path, got.status, name)
		}
	}
	if at(response, "content") == nil {
		if got.text != "" {
			d.t.Errorf("%s %s: %d with a body", method, path, got.status)
		}
		return
	}
	compiled, err := d.compiler.Compile(documentURL + "#" + pointer + "/content/application~1json/schema")
	if err != nil {
		d.t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.text))
	if err != nil {
		d.t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		d.t.Errorf("%s %s: %d %s\n%v", method, path, got.status, got.text, err)
	}
}

func escape(path string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
}

// sample is the example of the body of an operation, with the tokens filled in.
func (d described) sample(method, path string, signedIn tokens) string {
	example, ok := at(d.document, "paths", path, strings.ToLower(method), "requestBody", "content", "application/json")["example"]
	if !ok {
		return ""
	}
	fields, _ := example.(map[string]any)
	for name, token := range map[string]string{"refresh": signedIn.Refresh, "token": signedIn.Access} {
		if fields[name] != nil {
			fields[name] = token
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(body)
}

// Every operation is called with its own example as the body.
func TestOpenAPI_RealAnswersFit(t *testing.T) {
	t.Parallel()
	s, d := serve(t, graphtest.Options{}), describe(t)
	var signedIn tokens
	const one = "{id}"
	calls := 0
	for _, call := range []struct {
		method, path string
		status       int
	}{
		{"POST", "/api/auth/register/", 201},
		{"POST", "/api/auth/login/", 200},
		{"POST", "/api/auth/token/refresh/", 200},
		{"POST", "/api/auth/token/verify/", 200},
		{"POST", "/api/auth/password/change/", 200},
		{"GET", "/api/auth/me/", 200},
		{"POST", "/api/patients/", 201},
		{"GET", "/api/patients/", 200},
		{"GET", "/api/patients/" + one + "/", 200},
		{"PUT", "/api/patients/" + one + "/", 200},
		{"PATCH", "/api/patients/" + one + "/", 200},
		{"POST", "/api/doctors/", 201},
		{"GET", "/api/doctors/", 200},
		{"GET", "/api/doctors/" + one + "/", 200},
		{"PUT", "/api/doctors/" + one + "/", 200},
		{"PATCH", "/api/doctors/" + one + "/", 200},
		{"POST", "/api/mappings/", 201},
		{"GET", "/api/mappings/", 200},
		{"GET", "/api/mappings/" + one + "/", 200},
		{"GET", "/api/patients/" + one + "/mappings/", 200},
		{"DELETE", "/api/mappings/" + one + "/", 204},
		{"DELETE", "/api/doctors/" + one + "/", 204},
		{"DELETE", "/api/patients/" + one + "/", 204},
		{"POST", "/api/auth/logout/", 204},
	} {
		calls++
		var headers []string
		if signedIn.Access != "" && call.path != "/api/auth/login/" {
			headers = bearer(signedIn.Access)
		}
		got := s.send(call.method, strings.ReplaceAll(call.path, one, "1"), d.sample(call.method, call.path, signedIn), headers...)
		if got.status != call.status {
			t.Fatalf("%s %s: %d %s", call.method, call.path, got.status, got.text)
		}
		d.check(call.method, call.path, got)
		signedIn = signedIn.after(got)
	}
	described := 0
	for _, methods := range at(d.document, "paths") {
		described += len(methods.(map[string]any))
	}
	if calls != described {
		t.Errorf("%d of %d operations were called", calls, described)
	}
}

// after are the tokens that the answer holds, if it holds some.
func (old tokens) after(got reply) tokens {
	var body struct {
		tokens

		Tokens tokens
	}
	_ = json.Unmarshal([]byte(got.text), &body) // lists hold none
	for _, found := range []tokens{body.tokens, body.Tokens} {
		if found.Access != "" {
			return found
		}
	}
	return old
}

// What need not be given is null in the answer, and described so.
func TestOpenAPI_RealAnswersWithNullsFit(t *testing.T) {
	t.Parallel()
	s, d := serve(t, graphtest.Options{}), describe(t)
	rahul := bearer(s.register("rahul").Access) // without a phone
	d.check("GET", "/api/auth/me/", s.send("GET", "/api/auth/me/", "", rahul...))
	for _, call := range []struct{ path, body string }{
		{"/api/patients/", `{"name":"Arjun","email":"a@x.example","phone":"8765432109","date_of_birth":"1990-05-15","address":"x",` +
			`"gender":"male","emergency_contact":"9876543210","blood_group":null}`},
		{"/api/doctors/", d.sample("POST", "/api/doctors/", tokens{})},
		{"/api/mappings/", `{"patient":1,"doctor":1}`},
	} {
		got := s.send("POST", call.path, call.body, rahul...)
		if got.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", call.path, got.status, got.text)
		}
		d.check("POST", call.path, got)
		d.check("GET", call.path, s.send("GET", call.path, "", rahul...))
	}
}

func TestOpenAPI_RealRefusalsFit(t *testing.T) {
	t.Parallel()
	s, d := serve(t, graphtest.Options{}), describe(t)
	rahul := bearer(s.register("rahul").Access)
	stale := append([]string{"If-Match", `"99"`}, rahul...)
	if got := s.send("POST", "/api/patients/", d.sample("POST", "/api/patients/", tokens{}), rahul...); got.status != http.StatusCreated {
		t.Fatalf("%d %s", got.status, got.text)
	}
	for _, call := range []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{"GET", "/api/patients/", "", nil, 401},
		{"GET", "/api/patients/", "", bearer("x"), 401},
		{"GET", "/api/patients/", "", []string{"Authorization", "Bearer"}, 401},
		{"GET", "/api/patients/", "", append([]string{"Accept", "application/xml"}, rahul...), 406},
		{"POST", "/api/patients/", `{}`, rahul, 400},
		{"POST", "/api/patients/", `[]`, rahul, 400},
		{"POST", "/api/patients/", `{`, rahul, 400},
		{"POST", "/api/patients/", `x`, append([]string{"Content-Type", "text/plain"}, rahul...), 415},
		{"POST", "/api/patients/", `"` + strings.Repeat("x", maxBody) + `"`, rahul, 413},
		{"GET", "/api/patients/{id}/", "", append([]string{"If-None-Match", "*"}, rahul...), 304},
		{"PATCH", "/api/patients/{id}/", `{"name":"A"}`, stale, 412},
		{"GET", "/api/doctors/{id}/", "", rahul, 404},
		{"POST", "/api/auth/login/", `{"email":"rahul@clinic.example","password":"wrong"}`, nil, 401},
		{"POST", "/api/auth/token/refresh/", `{"refresh":"x"}`, nil, 401},
	} {
		got := s.send(call.method, strings.ReplaceAll(call.path, "{id}", "1"), call.body, call.headers...)
		if got.status != call.status {
			t.Errorf("%s %s: %d %s, want %d", call.method, call.path, got.status, got.text, call.status)
			continue
		}
		d.check(call.method, call.path, got)
	}
}
