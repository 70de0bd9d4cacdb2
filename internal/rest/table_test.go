package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/testutil"
)

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	testutil.Must(t, err)
	return gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphqls", Input: string(text)})
}

func TestRows_FitTheSchema(t *testing.T) {
	t.Parallel()
	all, err := compile(loadSchema(t), rows(Options{}))
	testutil.Must(t, err)
	open := map[string]bool{
		"/api/auth/register/": true, "/api/auth/login/": true,
		"/api/auth/token/refresh/": true, "/api/auth/token/verify/": true,
	}
	for path, res := range all {
		if res.guarded == open[path] {
			t.Errorf("%s: guarded is %t", path, res.guarded)
		}
	}
}

func TestCompile_NamesTheRowThatDoesNotFit(t *testing.T) {
	t.Parallel()
	const faults = ` userErrors { field code message }`
	credentials := []field{{name: "email"}, {name: "password"}}
	for why, broken := range map[string]row{
		"Expected Name":       {document: `{ me { id `},
		`"name"`:              {document: `{ me { id name } }`},
		"one root field":      {document: `{ me { id } specializations { name } }`},
		"one operation":       {document: `query a { me { id } } query b { me { id } }`},
		"without fragments":   {document: `{ me { ... on User { id } } }`},
		"not select userErr":  {document: `mutation { logoutEverywhere { __typename } }`, message: "x"},
		"a message and":       {document: `{ me { message: __typename } }`},
		"need each other":     {document: `{ me { id } }`, message: "Done"},
		`to take "extra"`:     {document: `{ me { id } }`, fields: []field{{name: "extra"}}},
		`sets "password"`:     {document: `mutation ($input: LoginInput!) { login(input: $input) {` + faults + ` } }`, fields: credentials[:1]},
		`sets "refresh"`:      {document: `mutation ($refresh: String!) { refreshToken(refresh: $refresh) {` + faults + ` } }`},
		`"email" is optional`: {document: `mutation ($input: LoginInput!) { login(input: $input) {` + faults + ` } }`, fields: []field{{name: "email", optional: true}}},
		"slash":               {path: "/api/x", document: `{ me { id } }`},
		"begin with /api/":    {path: "/x/", document: `{ me { id } }`},
	} {
		broken.method = http.MethodGet
		if broken.path == "" {
			broken.path = "/api/x/"
		}
		_, err := compile(loadSchema(t), append(rows(Options{}), broken))
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "GET "+broken.path) {
			t.Errorf("want an error with %s, got %v", why, err)
		}
	}
	twice := append(rows(Options{}), rows(Options{})[0])
	if _, err := compile(loadSchema(t), twice); err == nil || !strings.Contains(err.Error(), "POST /api/auth/register/: the row exists twice") {
		t.Errorf("a row that is there twice: %v", err)
	}
}

func TestCompile_RefusesARootFieldThatSaysNothingAsClosed(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	schema.Query.Fields.ForName("me").Directives = nil
	all, err := compile(schema, rows(Options{}))
	testutil.Must(t, err)
	if !all["/api/auth/me/"].guarded {
		t.Error("it is open")
	}
}

func TestOutcomes_HaveEveryCodeOfTheSchema(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	walked := 0
	for _, name := range []string{"UserErrorCode", "ErrorCode"} {
		for _, code := range schema.Types[name].EnumValues {
			walked++
			o, known := outcomeOf(code.Name)
			if !known || o.status < 400 {
				t.Errorf("%s.%s: status %d, known %t", name, code.Name, o.status, known)
			}
		}
	}
	if walked < 26 {
		t.Errorf("only %d codes were found", walked)
	}
	for code, want := range map[string]int{
		"UNAUTHENTICATED": 401, "INVALID_CREDENTIALS": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "VERSION_CONFLICT": 412,
		"LIMIT_EXCEEDED": 413, "RATE_LIMITED": 429, "TOO_MANY_ATTEMPTS": 429, "INTERNAL": 500, "UNAVAILABLE": 503,
	} {
		if o, _ := outcomeOf(code); o.status != want {
			t.Errorf("%s: %d, want %d", code, o.status, want)
		}
	}
	if o, known := outcomeOf("NO_SUCH_CODE"); known || o.status != http.StatusInternalServerError {
		t.Errorf("an unknown code: %d, known %t", o.status, known)
	}
}

// The graph must refuse a request because of the value that makeInvalid filled
// in.
func TestMakeInvalid_EveryRowThatValidatesHasATextToRefuse(t *testing.T) {
	t.Parallel()
	all, err := compile(loadSchema(t), rows(Options{}))
	testutil.Must(t, err)
	for _, res := range all {
		for _, op := range res.operations {
			for _, in := range op.inputs {
				if !op.validates {
					continue
				}
				values := map[string]any{}
				op.makeInvalid(values, fieldErrors{in.name: {"wrong"}})
				if !holds(values, neverValid) {
					t.Errorf("%s with a wrong %s is sent as %v", op.path, in.name, values)
				}
			}
		}
	}
}

func holds(values map[string]any, wanted string) bool {
	for _, v := range values {
		if v == wanted {
			return true
		}
	}
	return false
}

func TestShape_WritesDataAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	op, err := compileRow(loadSchema(t), row{message: "Done", document: `mutation ($input: AssignDoctorInput!) { assignDoctor(input: $input) {
		mapping { etag: isActive id patient: patient { id } patient_details: patient { name gender blood_group: bloodGroup email created_by: createdBy { email } }
			done: __typename notes is_active: isActive } userErrors { code } } }`, fields: []field{
		{name: "patient", input: "patientId"}, {name: "doctor", input: "doctorId"},
	}})
	testutil.Must(t, err)
	const faultless = `,"userErrors":[]}}`
	got, err := op.shape([]byte(`{"assignDoctor":{"mapping":{"etag":7,"id":"map_1","patient":{"id":"pat_9007199254740993"},`+
		`"patient_details":{"name":"A","gender":"MALE","blood_group":"AB_NEGATIVE","email":null,"created_by":{"email":"r@x.example"}},`+
		`"done":"Mapping","notes":"<b>\u2028 \u0026 ü \\\"\n","is_active":true}`+faultless), nil)
	testutil.Must(t, err)
	const want = `{"id":1,"patient":9007199254740993,"patient_details":{"name":"A","gender":"male","blood_group":"AB-","email":null,"created_by":"r@x.example"},` +
		`"done":"Done","notes":"<b>\u2028 & ü \\\"\n","is_active":true}`
	if string(got.body) != want || got.etag != `"7"` || got.id != "1" || string(got.userErrors) != "[]" {
		t.Errorf("got  %s %+v\nwant %s", got.body, got, want)
	}
	for why, mapping := range map[string]string{
		"an id without a kind":   `{"etag":1,"id":"1"`,
		"another order":          `{"id":"map_1","etag":1`,
		"a value that is none":   `{"etag":1,"id":"map_1","patient":{"id":"pat_1"},"patient_details":{"name":"A","gender":"ROBOT"`,
		"an object for a number": `{"etag":1,"id":{"a":1}`,
		"half of a text":         `{"etag":1,"id":"map_1`,
		"nothing":                ``,
	} {
		if got, err := op.shape([]byte(`{"assignDoctor":{"mapping":`+mapping), nil); err == nil {
			t.Errorf("%s is written: %s", why, got.body)
		}
	}
}

func TestShape_WritesLists(t *testing.T) {
	t.Parallel()
	op, err := compileRow(loadSchema(t), row{document: `{ specializations { name doctor_count: doctorCount } }`})
	testutil.Must(t, err)
	for data, want := range map[string]string{
		`{"specializations":[{"name":"ENT","doctor_count":2},{"name":"Eye","doctor_count":1}]}`: `[{"name":"ENT","doctor_count":2},{"name":"Eye","doctor_count":1}]`,
		`{"specializations":[]}`:   `[]`,
		`{"specializations":null}`: `null`,
	} {
		got, err := op.shape([]byte(data), nil)
		testutil.Must(t, err)
		if string(got.body) != want {
			t.Errorf("got %s, want %s", got.body, want)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, body := range []string{`{"a":1}`, `[]`, `null`, ``, `{"a":NaN}`, `{"a":1e999,"a":"\ud800"}`, "{\"\xff\":1}", strings.Repeat("[", 11_000)} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		values, refused := decodeJSON(body)
		if (values == nil) != (refused != nil) {
			t.Fatalf("%q is neither taken nor refused", body)
		}
		if values != nil && !json.Valid(body) {
			t.Errorf("%q is taken", body)
		}
		if refused != nil && refused.status != http.StatusBadRequest {
			t.Errorf("%q: %d", body, refused.status)
		}
	})
}

func FuzzDecodeMultipart(f *testing.F) {
	f.Add([]byte("--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n"))
	f.Add([]byte("--X\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		values, refused := decodeMultipart(body, "X")
		if (values == nil) != (refused != nil) {
			t.Fatalf("%q is neither taken nor refused", body)
		}
	})
}

func TestRead_TurnsABodyIntoValues(t *testing.T) {
	t.Parallel()
	op, err := compileRow(loadSchema(t), rows(Options{VerifyToken: func(context.Context, string) error { return nil }})[0])
	testutil.Must(t, err)
	values, found := op.read(map[string]any{
		"username": json.Number("1e3"), "email": " a@x.example ", "phone": "", "role": "doctor", "id": "7", "is_staff": true,
	})
	want := map[string]any{"username": "1e3", "email": "a@x.example", "phone": nil, "role": "DOCTOR"}
	if len(found) != 1 || found["password"] == nil || len(values) != len(want) {
		t.Errorf("values %v, faults %v", values, found)
	}
	for name, value := range want {
		if values[name] != value {
			t.Errorf("%s is %v, want %v", name, values[name], value)
		}
	}
}
