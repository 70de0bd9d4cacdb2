package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/testutil"
)

// canary is the word that no output may have. As a password it needs others around it.
const (
	canary         = "Quokka"
	canaryPassword = "lantern-7731-" + canary + "-River" // unlike the username
)

// sender sends the word to a server, with values of each argument that are valid or not.
type sender struct {
	*program

	schema  *ast.Schema
	isValid bool
	token   string
	sent    int
	// done counts the mutations without an error.
	done int
	// faults are the answers with an internal error.
	faults []string
}

// value returns a value of a type for the argument or field with the name.
func (s *sender) value(of *ast.Type, name string) any {
	if of.Elem != nil {
		return []any{s.value(of.Elem, name)}
	}
	typ := s.schema.Types[of.Name()]
	switch typ.Kind {
	case ast.Enum:
		return typ.EnumValues[0].Name
	case ast.InputObject:
		fields := map[string]any{}
		for _, field := range typ.Fields {
			if s.isValid && !field.Type.NonNull && (field.Type.Name() == "ID" || field.Type.Name() == "AbhaNumber") {
				continue // no record and no account has them
			}
			fields[field.Name] = s.value(field.Type, field.Name)
		}
		return fields
	default:
		return s.scalar(of.Name(), name)
	}
}

func (s *sender) scalar(typ, name string) any {
	switch {
	case typ == "Int" || typ == "Float":
		return 1
	case typ == "Boolean":
		return !s.isValid
	case strings.Contains(strings.ToLower(name), "password"):
		return canaryPassword
	case name == "username":
		return fmt.Sprint(canary, s.sent) // is unique
	case typ == "String" || !s.isValid:
		return canary
	}
	return map[string]any{
		"ID": "pat_1", "EmailAddress": canary + fmt.Sprint(s.sent) + "@clinic.example", "PhoneNumber": fmt.Sprint("98", 10_000_000+s.sent),
		"Date": "1990-05-15", "DateTime": "2026-11-29T00:00:00Z", "Decimal": "7", "AbhaNumber": "12-3456-7890-1234",
	}[typ]
}

// operation returns the document of a root field and its variables. Every argument has a
// variable.
func (s *sender) operation(root string, field *ast.FieldDefinition) (text string, variables map[string]any) {
	var declared, passed []string
	variables = map[string]any{}
	for _, argument := range field.Arguments {
		declared = append(declared, "$"+argument.Name+": "+argument.Type.String())
		passed = append(passed, argument.Name+": $"+argument.Name)
		variables[argument.Name] = s.value(argument.Type, argument.Name)
	}
	for _, page := range []string{"last", "before"} { // a page begins at one end
		delete(variables, page)
	}
	if s.isValid {
		delete(variables, "after")
	}
	text = root
	if len(declared) > 0 {
		text += " (" + strings.Join(declared, ", ") + ")"
	}
	text += " { " + field.Name
	if len(passed) > 0 {
		text += "(" + strings.Join(passed, ", ") + ")"
	}
	return text + s.selection(s.schema.Types[field.Type.Name()]) + " }", variables
}

// selection selects what makes the server read something.
func (s *sender) selection(typ *ast.Definition) string {
	switch {
	case typ.IsLeafType():
		return ""
	case typ.Fields.ForName("nodes") != nil:
		return " { totalCount nodes { __typename } }"
	case typ.Fields.ForName("userErrors") != nil:
		return " { userErrors { code message } }"
	case typ.Fields.ForName("id") != nil:
		return " { id }"
	default:
		return " { __typename }"
	}
}

// everything sends all operations of GraphQL, and the word to all other places of a request.
func (s *sender) everything() {
	for root, fields := range map[string]ast.FieldList{"query": s.schema.Query.Fields, "mutation": s.schema.Mutation.Fields} {
		for _, field := range fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			text, variables := s.operation(root, field)
			s.graphql(text, variables)
			if root == "mutation" {
				s.signInAgain()
			}
		}
	}
	for _, text := range []string{
		"{ " + canary + " }", `{ patients(search: "` + canary + `") { totalCount } }`, `{ patients(` + canary + `: 1) { totalCount } }`,
		`{ patients(filter: {bornFrom: "` + canary + `"}) { totalCount } }`, "{ patients { nodes { ..." + canary + " } } }", `{ patients(search: "` + canary,
		`{ node(id: "` + canary + `") { id } }`, "query ($" + canary + ": Int) { me { id } }", "{ me @" + canary + " { id } }",
	} {
		s.graphql(text, nil)
	}
	for _, path := range []string{
		"/" + canary, "/api/" + canary + "/", "/api/patients/" + canary + "/", "/api/patients/?search=" + canary, "/api/mappings/" + canary + "/", "/api/doctors/" + canary + "/",
		"/graphql?query=%7B" + canary + "%7D", "/graphql?documentId=" + canary, "/account/" + canary, "/assets/" + canary, "/docs/" + canary,
	} {
		s.request(http.MethodGet, path, "")
		s.request(http.MethodDelete, path, "")
	}
	for _, path := range []string{
		"/api/patients/", "/api/doctors/", "/api/mappings/", "/api/auth/login/", "/api/auth/register/", "/api/patients/1/", "/graphql", "/" + canary,
	} {
		for _, body := range []string{
			`{"` + canary + `": 1}`, `{"name": "` + canary + `"}`, `{"name": ` + canary, canary, `{"email": "` + canary + `@clinic.example", "password": "` + canaryPassword + `"}`,
			`{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "` + canary + `"}}}`, `{"query": "{ me { id } }", "operationName": "` + canary + `"}`,
			`{"name": "` + canary + `", "email": "a@b.example", "phone": "9876543210", "date_of_birth": "1990-05-15", "address": "` + canary + `", "gender": "MALE",
				"emergency_contact": "9876543211", "medical_history": "` + canary + `"}`,
		} {
			s.request(http.MethodPost, path, body)
			s.request(http.MethodPut, path, body)
		}
	}
}

func (s *sender) graphql(text string, variables map[string]any) {
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	testutil.Must(s.t, err)
	s.request(http.MethodPost, "/graphql", string(body))
}

// request sends the word in the headers, too.
func (s *sender) request(method, path, body string) {
	s.t.Helper()
	s.sent++
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, bytes.NewReader([]byte(body)))
	testutil.Must(s.t, err)
	for _, name := range []string{"User-Agent", "Cookie", "Referer", "Origin", "X-Forwarded-For", "If-None-Match", "Accept-Language"} {
		request.Header.Set(name, canary)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", fmt.Sprint(canary, s.sent))
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(request)
	testutil.Must(s.t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	testutil.Must(s.t, err)
	if bytes.Contains(answer, []byte(`"userErrors":[]`)) {
		s.done++
	}
	if response.StatusCode == http.StatusInternalServerError || bytes.Contains(answer, []byte(`"INTERNAL"`)) {
		s.faults = append(s.faults, string(answer))
	}
}

// signInAgain begins a session if the last operation has ended it.
func (s *sender) signInAgain() {
	s.t.Helper()
	if _, err := s.ask(s.token, "{ me { id } }", nil); err != nil && s.token != canary {
		s.token = s.register(fmt.Sprint("visitor", s.sent))
	}
}

// TestServer_TellsNoOneWhatItWasSent: a word that comes through every field, search and error
// path is in no line of the log, in no metric and in no text of an internal fault.
func TestServer_TellsNoOneWhatItWasSent(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: document(t, "schema.graphqls")})
	testutil.Must(t, err)
	server := start(t, dataDir(t), "--metrics-addr", "127.0.0.1:0", "--log-level", "debug", "--slow", "1us", "--max-sign-in-failures", "1000,1s", "--max-resets", "1000,1s")
	s := &sender{program: server, schema: schema, token: server.register("rahul")}
	server.must(s.token, createDocument, map[string]any{"name": canary + " Sharma"})
	s.everything()
	s.isValid = true
	s.everything()
	s.token = canary // no token
	s.everything()
	if seen := server.names(server.register("asha")); len(seen) > 0 {
		t.Errorf("another account sees %v", seen)
	}

	// From now on every write and every read fails, and PostgreSQL's message has the row.
	s.token = server.register("priya")
	server.sql(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cannot write %', NEW USING DETAIL = NEW::text; END $$;
		CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION fail();
		CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON doctors FOR EACH ROW EXECUTE FUNCTION fail();
		CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fail()`)
	if s.done < 8 {
		t.Errorf("only %d mutations were carried out", s.done)
	}
	before := len(s.faults)
	for _, field := range []string{"createPatient", "createDoctor", "register"} {
		text, variables := s.operation("mutation", schema.Mutation.Fields.ForName(field))
		s.graphql(text, variables)
	}
	server.sql("ALTER TABLE patients RENAME TO gone")
	for _, field := range []string{"patients", "patient"} {
		text, variables := s.operation("query", schema.Query.Fields.ForName(field))
		s.graphql(text, variables)
	}
	if faults := s.faults[before:]; len(faults) < 5 {
		t.Errorf("only %d requests have failed: %q", len(faults), faults)
	}

	metrics := server.scrape()
	server.kill() // then the log is complete
	log := server.log.String()
	for what, text := range map[string]string{"log": log, "metrics": metrics, "answers of faults": strings.Join(s.faults, "\n")} {
		for line := range strings.Lines(text) {
			if strings.Contains(strings.ToLower(line), strings.ToLower(canary)) {
				t.Errorf("the %s: %s", what, line)
			}
		}
	}
	for _, want := range []string{`msg=request`, `msg="internal error"`, `msg="a round trip to the database was slow"`, "session=", "trips=", "pool_wait_ms=", "duration_ms="} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s", want)
		}
	}
	if s.sent < 400 {
		t.Errorf("only %d requests were sent", s.sent)
	}
	if at := slices.IndexFunc(strings.Split(log, "\n"), func(line string) bool {
		return strings.Contains(line, "rahul") || strings.Contains(line, "127.0.0.1:") && strings.Contains(line, "msg=request")
	}); at >= 0 {
		t.Errorf("the log names an account or an address: %s", strings.Split(log, "\n")[at])
	}
}
