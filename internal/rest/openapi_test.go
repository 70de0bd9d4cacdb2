package rest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/testutil"
)

// document is what the tests look at of the description.
type document struct {
	Paths map[string]map[string]struct {
		OperationID string
		Summary     string
		Security    []map[string][]string
		Parameters  []struct{ Name, In string }
		RequestBody *struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
		Responses map[string]struct {
			Headers map[string]any
			Content map[string]any
		}
	}
	Components struct {
		Schemas map[string]struct {
			Properties map[string]map[string]any
			Required   []string
		}
		Responses map[string]any
	}
}

func describe(t *testing.T, schema *ast.Schema) (text []byte, doc document) {
	t.Helper()
	text, err := OpenAPI(schema, "1.2.3")
	testutil.Must(t, err)
	testutil.Must(t, json.Unmarshal(text, &doc))
	return text, doc
}

func TestOpenAPI_IsTheSameTwice(t *testing.T) {
	t.Parallel()
	first, _ := describe(t, loadSchema(t))
	second, _ := describe(t, loadSchema(t))
	if !bytes.Equal(first, second) {
		t.Error("two descriptions differ")
	}
}

func TestOpenAPI_HasEveryRowAndNoOther(t *testing.T) {
	t.Parallel()
	_, doc := describe(t, loadSchema(t))
	compiled, err := compile(loadSchema(t), rows(Options{}))
	testutil.Must(t, err)
	ids, described := map[string]bool{}, 0
	for path, methods := range doc.Paths {
		for method, op := range methods {
			described++
			if ids[op.OperationID] {
				t.Errorf("%s is there twice", op.OperationID)
			}
			ids[op.OperationID] = true
			if op.Summary == "" {
				t.Errorf("%s %s has no summary", method, path)
			}
			served := compiled[path].operations[strings.ToUpper(method)]
			if served == nil {
				t.Errorf("%s %s is not served", method, path)
				continue
			}
			if public := len(op.Security) == 0; public != served.public {
				t.Errorf("%s %s: public is %t", method, path, public)
			}
			if _, ok := op.Responses[strconv.Itoa(served.status)]; !ok {
				t.Errorf("%s %s: no response %d", method, path, served.status)
			}
			if (op.RequestBody != nil) != (len(served.inputs) > 0) {
				t.Errorf("%s %s: a body that is not read, or none that is", method, path)
			}
		}
	}
	if table := rows(Options{}); described != len(table) {
		t.Errorf("%d operations for %d rows", described, len(table))
	}
}

func TestOpenAPI_SaysWhatTheSchemaSaysOfBodies(t *testing.T) {
	t.Parallel()
	_, doc := describe(t, loadSchema(t))
	for _, media := range []string{mediaJSON, mediaForm, mediaMultipart} {
		if ref := doc.Paths["/api/patients/"]["post"].RequestBody.Content[media].Schema.Ref; ref != "#/components/schemas/CreatePatientBody" {
			t.Errorf("%s: %q", media, ref)
		}
	}
	create, patch := doc.Components.Schemas["CreatePatientBody"], doc.Components.Schemas["PatchPatientBody"]
	if want := []string{"name", "email", "phone", "date_of_birth", "address", "gender", "emergency_contact"}; !slices.Equal(create.Required, want) {
		t.Errorf("required: %q, want %q", create.Required, want)
	}
	if len(patch.Required) > 0 || len(patch.Properties) != len(create.Properties) {
		t.Errorf("PATCH requires %q of %d fields", patch.Required, len(patch.Properties))
	}
	for place, want := range map[[3]string]any{
		{"CreatePatientBody", "name", "maxLength"}:            100.0,
		{"CreatePatientBody", "email", "maxLength"}:           254.0,
		{"CreatePatientBody", "medical_history", "maxLength"}: 20000.0,
		{"CreatePatientBody", "date_of_birth", "format"}:      "date",
		{"RegisterBody", "password", "minLength"}:             8.0,
		{"RegisterBody", "password", "maxLength"}:             128.0,
		{"RegisterBody", "username", "maxLength"}:             150.0,
		{"LoginBody", "email", "maxLength"}:                   254.0,
		{"LoginBody", "password", "maxLength"}:                nil,
		{"ChangePasswordBody", "new_password", "minLength"}:   8.0,
		{"CreateDoctorBody", "experience_years", "minimum"}:   0.0,
		{"CreateDoctorBody", "experience_years", "maximum"}:   70.0,
		{"CreateDoctorBody", "consultation_fee", "maximum"}:   100000.0,
		{"PatchDoctorBody", "availability", "maxLength"}:      200.0,
		{"AssignDoctorBody", "notes", "maxLength"}:            20000.0,
		{"Doctor", "experience_years", "maximum"}:             70.0,
		{"Doctor", "consultation_fee", "maximum"}:             100000.0,
		{"Patient", "name", "maxLength"}:                      100.0,
		{"User", "role", "maxLength"}:                         nil,
		{"CreateDoctorBody", "license_number", "maxLength"}:   50.0,
		{"AssignDoctorBody", "patient", "type"}:               "integer",
		{"CreatePatientBody", "name", "description"}:          "Full name.",
		{"Doctor", "consultation_fee", "pattern"}:             `^-?\d+\.\d{2}$`,
		{"Patient", "created_at", "format"}:                   "date-time",
		{"Mapping", "patient", "description"}:                 "The patient. Null: the patient was deleted.",
	} {
		if got := doc.Components.Schemas[place[0]].Properties[place[1]][place[2]]; got != want {
			t.Errorf("%v: %v, want %v", place, got, want)
		}
	}
}

func TestOpenAPI_ConditionsAndHeadersAreThoseOfTheRows(t *testing.T) {
	t.Parallel()
	_, doc := describe(t, loadSchema(t))
	one := doc.Paths["/api/patients/{id}/"]
	const change = "id If-Match Idempotency-Key"
	for method, want := range map[string]string{"get": "id If-None-Match", "put": change, "patch": change, "delete": change} {
		var names []string
		for _, parameter := range one[method].Parameters {
			names = append(names, parameter.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s", method, got)
		}
	}
	for place, statuses := range map[[2]string]string{
		{"/api/patients/{id}/", "get"}:         "200 304 401 404 406 429 500 503 default",
		{"/api/patients/{id}/", "put"}:         "200 400 401 403 404 406 409 412 413 415 422 429 500 503 default",
		{"/api/patients/", "get"}:              "200 401 406 429 500 503 default",
		{"/api/auth/login/", "post"}:           "200 400 401 406 413 415 429 500 503 default",
		{"/api/mappings/{id}/", "delete"}:      "204 400 401 403 404 406 409 422 429 500 503 default",
		{"/api/auth/token/verify/", "post"}:    "200 400 401 406 413 415 429 500 503 default",
		{"/api/auth/password/change/", "post"}: "200 400 401 406 413 415 429 500 503 default",
	} {
		var got []string
		for status := range doc.Paths[place[0]][place[1]].Responses {
			got = append(got, status)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != statuses {
			t.Errorf("%v: %q, want %q", place, got, statuses)
		}
	}
	created := doc.Paths["/api/patients/"]["post"].Responses["201"]
	if created.Headers["Idempotency-Replayed"] == nil || created.Headers["Location"] == nil || created.Headers["ETag"] == nil {
		t.Errorf("created: %v", created.Headers)
	}
	if doc.Paths["/api/patients/{id}/"]["delete"].Responses["204"].Content != nil {
		t.Error("204 has a body")
	}
}

func TestOpenAPI_EveryStatusOfACodeIsDescribed(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	for _, name := range []string{"UserErrorCode", "ErrorCode"} {
		for _, code := range schema.Types[name].EnumValues {
			if o, _ := outcomeOf(code.Name); refusals()[o.status] == "" {
				t.Errorf("%s: no response for %d", code.Name, o.status)
			}
		}
	}
	_, doc := describe(t, schema)
	for status, name := range refusals() {
		if doc.Components.Responses[name] == nil {
			t.Errorf("%d: no response %s", status, name)
		}
	}
}

func TestOpenAPI_SaysWhatA503LeavesOpen(t *testing.T) {
	t.Parallel()
	text, _ := describe(t, loadSchema(t))
	if !bytes.Contains(text, []byte("A change may or may not have taken effect.")) {
		t.Error("a client cannot know that a change behind a 503 may have been done")
	}
}

func TestOpenAPI_EveryExampleIsOfAField(t *testing.T) {
	t.Parallel()
	text, _ := describe(t, loadSchema(t))
	for key := range fixedParts().Examples {
		_, name, found := strings.Cut(key, ".")
		if !found {
			name = key
		}
		if !bytes.Contains(text, []byte(`"`+name+`":`)) {
			t.Errorf("%s is the name of nothing", key)
		}
	}
	// Codes, and the rule of what null means, are for clients of GraphQL.
	for _, words := range []string{"userErrors", "FORBIDDEN_FIELD", "together with an error"} {
		if bytes.Contains(text, []byte(words)) {
			t.Errorf("it says %q", words)
		}
	}
	for _, field := range regexp.MustCompile(`"(\w+)":(?:\{[^{}]*"example":null|null,")`).FindAllSubmatch(text, -1) {
		t.Errorf("%s has no example", field[1])
	}
}
