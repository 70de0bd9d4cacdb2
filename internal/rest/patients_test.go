package rest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

const (
	required = `["This field is required."]`
	blank    = `["This field may not be blank."]`
	null     = `["This field may not be null."]`
	notText  = `["Not a valid string."]`
	nul      = `["Null characters are not allowed."]`
	badMail  = `["Enter a valid email address."]`
	badPhone = `["Enter a valid phone number: ten digits beginning 6 to 9 for an Indian mobile, or +, country code and number."]`
	badDate  = `["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]`
)

// but returns a body in which some members are replaced: the last one counts.
func but(body, members string) string { return strings.TrimSuffix(body, "}") + "," + members + "}" }

// without returns a body that lacks some members.
func without(t *testing.T, body string, names ...string) string {
	t.Helper()
	var members map[string]any
	testutil.Must(t, json.Unmarshal([]byte(body), &members))
	maps.DeleteFunc(members, func(name string, _ any) bool { return slices.Contains(names, name) })
	text, err := json.Marshal(members)
	testutil.Must(t, err)
	return string(text)
}

// member returns a member of the answer's object, as JSON.
func (r reply) member(t *testing.T, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	r.decode(t, &members)
	return string(members[name])
}

func TestPatients_WhatIsTakenAndHowItComesBack(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for i, c := range []struct{ members, name, want string }{
		{`"date_of_birth":"1990-5-5"`, "date_of_birth", `"1990-05-05"`},
		{`"phone":"+91 98765-43210"`, "phone", `"9876543210"`},
		{`"phone":8765432109`, "phone", `"8765432109"`},
		{`"phone":"09876543210"`, "phone", `"9876543210"`},
		{`"emergency_contact":"+44 20 7946 0958"`, "emergency_contact", `"+442079460958"`},
		{`"name":"  Asha  "`, "name", `"Asha"`},
		{`"name":5`, "name", `"5"`},
		{`"name":"<b>Ravi & रवि</b>"`, "name", `"<b>Ravi & रवि</b>"`},
		{`"name":"` + strings.Repeat("ü", 100) + `"`, "name", `"` + strings.Repeat("ü", 100) + `"`},
		{`"address":"1\n\t\"2\" \\ \u2028 \u0026"`, "address", "\"1\\n\\t\\\"2\\\" \\\\ \u2028 &\""},
		{`"address":"` + strings.Repeat("a", 15_000) + `"`, "address", `"` + strings.Repeat("a", 15_000) + `"`},
		{`"gender":"other"`, "gender", `"other"`},
		{`"gender":"female"`, "gender", `"female"`},
		{`"blood_group":"AB-"`, "blood_group", `"AB-"`},
		{`"blood_group":"O+"`, "blood_group", `"O+"`},
		{`"blood_group":null`, "blood_group", `null`},
		{`"blood_group":""`, "blood_group", `null`},
		{`"medical_history":null`, "medical_history", `null`},
		{`"medical_history":""`, "medical_history", `""`},
		{`"id":77,"created_by":"x","created_at":"2001-01-01T00:00:00Z","is_staff":true`, "created_by", `"rahul@clinic.example"`},
	} {
		mail := `,"email":"Person` + string(rune('a'+i)) + `@X.example"`
		got := s.as(rahul, http.MethodPost, patients, but(arjunsBody, c.members+mail))
		if got.status != http.StatusCreated || got.member(t, c.name) != c.want {
			t.Errorf("%s: %d %s", c.members, got.status, got.text)
			continue
		}
		if want := `"person` + string(rune('a'+i)) + `@x.example"`; got.member(t, "email") != want {
			t.Errorf("email %s, want %s", got.member(t, "email"), want)
		}
		at := patients + got.member(t, "id") + "/"
		if got.header.Get("Location") != at {
			t.Errorf("Location %q, want %q", got.header.Get("Location"), at)
		}
		s.want(s.as(rahul, http.MethodGet, at, ""), http.StatusOK, got.text)
	}
	got := s.as(rahul, http.MethodPost, patients, without(t, arjunsBody, "blood_group", "medical_history"))
	if got.status != http.StatusCreated || got.member(t, "blood_group")+got.member(t, "medical_history") != "nullnull" {
		t.Errorf("without the optional ones: %d %s", got.status, got.text)
	}
}

func TestPatients_TellAllFaultsInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.as(rahul, http.MethodPost, patients, arjunsBody)
	valid := func(members string) string { return but(but(arjunsBody, `"email":"other@x.example"`), members) }
	cases := map[string]string{
		`{}`: `{"name":` + required + `,"email":` + required + `,"phone":` + required + `,"date_of_birth":` + required +
			`,"address":` + required + `,"gender":` + required + `,"emergency_contact":` + required + `}`,
		`{"name":"","email":"x","phone":null,"date_of_birth":"1990-13-01","address":" ","gender":"M","blood_group":"b+","medical_history":{}}`: `{"name":` + blank +
			`,"email":` + badMail + `,"phone":` + null + `,"date_of_birth":` + badDate + `,"address":` + blank +
			`,"gender":["\"M\" is not a valid choice."],"blood_group":["\"b+\" is not a valid choice."],"emergency_contact":` + required +
			`,"medical_history":` + notText + `}`,
		valid(`"gender":"Male"`):                  `{"gender":["\"Male\" is not a valid choice."]}`,
		valid(`"gender":"MALE"`):                  `{"gender":["\"MALE\" is not a valid choice."]}`,
		valid(`"gender":null`):                    `{"gender":` + null + `}`,
		valid(`"gender":""`):                      `{"gender":["\"\" is not a valid choice."]}`,
		valid(`"gender":["male"]`):                `{"gender":["Not a valid choice."]}`,
		valid(`"blood_group":"A_POSITIVE"`):       `{"blood_group":["\"A_POSITIVE\" is not a valid choice."]}`,
		valid(`"blood_group":"a+"`):               `{"blood_group":["\"a+\" is not a valid choice."]}`,
		valid(`"blood_group":true`):               `{"blood_group":["Not a valid choice."]}`,
		valid(`"email":"no","gender":"x"`):        `{"email":` + badMail + `,"gender":["\"x\" is not a valid choice."]}`,
		valid(`"email":"arjun.SHARMA@gmail.com"`): `{"email":["patient with this email already exists."]}`,
	}
	// Every wrong type and every invalid text in each field.
	for _, name := range []string{"name", "email", "phone", "date_of_birth", "address", "emergency_contact", "medical_history"} {
		wrong := notText
		if name == "date_of_birth" {
			wrong = badDate
		}
		for _, value := range []string{`true`, `[]`, `{"a":[]}`, `["x"]`} {
			cases[valid(`"`+name+`":`+value)] = `{"` + name + `":` + wrong + `}`
		}
		cases[valid(`"`+name+`":"a\u0000b"`)] = `{"` + name + `":` + nul + `}`
		if name != "medical_history" {
			cases[valid(`"`+name+`":null`)] = `{"` + name + `":` + null + `}`
			cases[valid(`"`+name+`":" \n"`)] = `{"` + name + `":` + blank + `}`
		}
	}
	for _, day := range []string{"15-05-1990", "1990/05/15", "1990-05-15T00:00:00Z", "1990-02-30", "5", "0000-01-01", "x"} {
		cases[valid(`"date_of_birth":"`+day+`"`)] = `{"date_of_birth":` + badDate + `}`
	}
	cases[valid(`"date_of_birth":"2999-01-01"`)] = `{"date_of_birth":["The date of birth cannot be in the future."]}`
	for _, day := range []string{"1800-01-01", "0001-01-01"} {
		cases[valid(`"date_of_birth":"`+day+`"`)] = `{"date_of_birth":["The date of birth cannot be more than 130 years ago."]}`
	}
	for _, phone := range []string{"abc", "1", "98765432109876543", "1e400"} {
		cases[valid(`"phone":"`+phone+`"`)] = `{"phone":` + badPhone + `}`
	}
	cases[valid(`"phone":1e400`)] = `{"phone":` + badPhone + `}`
	cases[valid(`"emergency_contact":"letters"`)] = `{"emergency_contact":` + badPhone + `}`
	cases[valid(`"name":"`+strings.Repeat("ü", 101)+`"`)] = `{"name":["Ensure this field has no more than 100 characters."]}`
	cases[valid(`"email":"`+strings.Repeat("a", 250)+`@x.example"`)] = `{"email":["Ensure this field has no more than 254 characters."]}`
	for body, want := range cases {
		s.want(s.as(rahul, http.MethodPost, patients, body), http.StatusBadRequest, want)
		if got := s.as(rahul, http.MethodPut, patients+"1/", body); !strings.Contains(want, "already exists") {
			s.want(got, http.StatusBadRequest, want)
		}
	}
	if n := s.Row(`SELECT count(*) || ' ' || max(version) FROM patients`); n != "1 2" {
		// One PUT is valid: that of the record's own e-mail.
		t.Errorf("a refused request changed something: %s", n)
	}
}

func TestPatients_TextsHaveAnEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	// In as few bytes as possible: the limit counts characters. Bodies may have
	// 20,000 bytes here.
	for _, name := range []string{"address", "medical_history"} {
		long := but(arjunsBody, `"`+name+`":"`+strings.Repeat("a", 19_500)+`"`)
		if got := s.as(rahul, http.MethodPost, patients, long); got.status != http.StatusCreated {
			t.Errorf("%s: %d %.200s", name, got.status, got.text)
		}
		s.Exec(`DELETE FROM patients`)
	}
}

func TestPatients_PutKeepsTheOptionalAndPatchTheRest(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("rahul.kumar", model.RolePatient)
	s.Exec(`UPDATE users SET email = 'rahul.kumar@gmail.com'`)
	s.match(s.as(rahul, http.MethodPost, patients, arjunsBody), http.StatusCreated, arjun)
	const at = patients + "1/"

	renamed := strings.Replace(arjun, "Arjun Sharma", "Arjun S", 1)
	s.match(s.as(rahul, http.MethodPut, at, without(t, but(arjunsBody, `"name":"Arjun S"`), "blood_group", "medical_history")), http.StatusOK, renamed)
	for _, name := range []string{"name", "email", "phone", "date_of_birth", "address", "gender", "emergency_contact"} {
		s.want(s.as(rahul, http.MethodPut, at, without(t, arjunsBody, name)), http.StatusBadRequest, `{"`+name+`":`+required+`}`)
		s.want(s.as(rahul, http.MethodPatch, at, `{"`+name+`":null}`), http.StatusBadRequest, `{"`+name+`":`+null+`}`)
	}
	s.match(s.as(rahul, http.MethodPatch, at, `{}`), http.StatusOK, renamed)
	s.match(s.as(rahul, http.MethodPatch, at, ``), http.StatusOK, renamed)
	s.match(s.as(rahul, http.MethodPatch, at, `{"nonsense":1,"id":9}`), http.StatusOK, renamed)
	cleared := strings.NewReplacer(`"B+"`, `null`, `"No known allergies"`, `null`).Replace(arjun)
	s.match(s.as(rahul, http.MethodPatch, at, `{"name":"Arjun Sharma","blood_group":null,"medical_history":null}`), http.StatusOK, cleared)
	s.want(s.as(rahul, http.MethodPatch, at, `{"gender":"x"}`), http.StatusBadRequest, `{"gender":["\"x\" is not a valid choice."]}`)
	s.want(s.as(rahul, http.MethodPatch, at, `{"gender":"x","blood_group":"Z","email":"y"}`), http.StatusBadRequest,
		`{"email":`+badMail+`,"gender":["\"x\" is not a valid choice."],"blood_group":["\"Z\" is not a valid choice."]}`)
	s.match(s.as(rahul, http.MethodGet, at, ""), http.StatusOK, cleared)
}

func TestPatients_AnEmptyPatchTouchesTheRecord(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Patient("Arjun")
	before := s.as(rahul, http.MethodGet, patients+"1/", "")
	after := s.as(rahul, http.MethodPatch, patients+"1/", `{}`)
	if before.member(t, "updated_at") == after.member(t, "updated_at") || before.header.Get("ETag") == after.header.Get("ETag") {
		t.Errorf("before %s %s\nafter  %s %s", before.header.Get("ETag"), before.text, after.header.Get("ETag"), after.text)
	}
	if before.member(t, "created_at") != after.member(t, "created_at") {
		t.Error("it is another record")
	}
}

func TestPatients_TakeFormsAndUploads(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	form := url.Values{
		"name": {"Arjun"}, "email": {"arjun@x.example"}, "phone": {"8765432109"}, "date_of_birth": {"1990-05-15"}, "address": {"Here & there"},
		"gender": {"male"}, "blood_group": {"B+"}, "emergency_contact": {"9876543210"}, "medical_history": {""},
	}
	const media = "application/x-www-form-urlencoded"
	got := s.as(rahul, http.MethodPost, patients, form.Encode(), "Content-Type", media)
	if got.status != http.StatusCreated || got.member(t, "address")+got.member(t, "blood_group") != `"Here & there""B+"` {
		t.Fatalf("%d %s", got.status, got.text)
	}
	at := got.header.Get("Location")
	got = s.as(rahul, http.MethodPatch, at, "name=Arjun+S&blood_group=", "Content-Type", media)
	if got.status != http.StatusOK || got.member(t, "name")+got.member(t, "blood_group") != `"Arjun S"null` {
		t.Errorf("%d %s", got.status, got.text)
	}
	for sent, want := range map[string]string{
		"address=Flat 3; Block B":                 "Flat 3; Block B",
		"medical_history=SpO2 94%25; stable":      "SpO2 94%; stable",
		"medical_history=SpO2 94%":                "SpO2 94%",
		"medical_history=100%+sure&address=a;b=c": "a;b=c",
	} {
		got = s.as(rahul, http.MethodPatch, at, sent, "Content-Type", media)
		if got.status != http.StatusOK || !strings.Contains(got.text, `"`+want+`"`) {
			t.Errorf("%s: %d %s", sent, got.status, got.text)
		}
	}
	got = s.as(rahul, http.MethodPatch, at, multipart(`name="name"`, "रवि", `name="gender"`, "other"), "Content-Type", "multipart/form-data; boundary=X")
	if got.status != http.StatusOK || got.member(t, "name")+got.member(t, "gender") != `"रवि""other"` {
		t.Errorf("%d %s", got.status, got.text)
	}
	s.want(s.as(rahul, http.MethodPatch, at, multipart(`name="name"; filename="a"`, "x"), "Content-Type", "multipart/form-data; boundary=X"),
		http.StatusBadRequest, `{"name":`+notText+`}`)
}

func TestPatients_AnEmailIsUniqueAmongTheLivePatientsOfItsOwner(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	taken := `{"email":["patient with this email already exists."]}`
	if got := s.as(rahul, http.MethodPost, patients, arjunsBody); got.status != http.StatusCreated {
		t.Fatal(got.text)
	}
	s.want(s.as(rahul, http.MethodPost, patients, strings.Replace(arjunsBody, "arjun.s", "Arjun.S", 1)), http.StatusBadRequest, taken)
	if got := s.as(asha, http.MethodPost, patients, arjunsBody); got.status != http.StatusCreated {
		t.Errorf("another owner: %d %s", got.status, got.text)
	}
	second := s.as(rahul, http.MethodPost, patients, but(arjunsBody, `"email":"b@x.example"`))
	s.want(s.as(rahul, http.MethodPatch, second.header.Get("Location"), `{"email":"ARJUN.sharma@gmail.com"}`), http.StatusBadRequest, taken)
	s.want(s.as(rahul, http.MethodDelete, patients+"1/", ""), http.StatusNoContent, "")
	if got := s.as(rahul, http.MethodPost, patients, arjunsBody); got.status != http.StatusCreated {
		t.Errorf("after the first one was deleted: %d %s", got.status, got.text)
	}
}

func TestPatients_DeletedAreGoneAndTheirMappingsWithThem(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	at := patients + number(c.Patient) + "/"
	s.want(s.as(c.Rahul, http.MethodDelete, at, ""), http.StatusNoContent, "")
	unknown := s.as(c.Rahul, http.MethodGet, patients+"999/", "")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		s.want(s.as(c.Rahul, method, at, arjunsBody), http.StatusNotFound, unknown.text)
	}
	for _, path := range []string{at + "mappings/", mappings + number(c.Patient) + "/"} {
		s.want(s.as(c.Rahul, http.MethodGet, path, ""), http.StatusNotFound, unknown.text)
	}
	s.want(s.as(c.Rahul, http.MethodDelete, mappings+number(c.PriyasMapping)+"/", ""), http.StatusNotFound, unknown.text)
	for _, who := range []*graphtest.Client{c.Rahul, c.Priya, c.Admin} {
		s.want(s.as(who, http.MethodGet, patients, ""), http.StatusOK, `[]`)
		s.want(s.as(who, http.MethodGet, mappings, ""), http.StatusOK, `[]`)
	}
	s.want(s.as(c.Rahul, http.MethodPost, mappings, `{"patient":`+number(c.Patient)+`,"doctor":1}`), http.StatusBadRequest,
		`{"patient":["Invalid pk \"`+number(c.Patient)+`\" - object does not exist."]}`)
	if n := s.Row(`SELECT count(*)::text FROM patients WHERE deleted_at IS NOT NULL`); n != "1" {
		t.Errorf("%s patients can be restored", n)
	}
}

func TestPatients_NewestComesFirst(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, name := range []string{"Beta", "Alpha", "Gamma"} {
		rahul.Patient(name)
	}
	for _, query := range []string{"", "?page=2&page_size=1&limit=1&search=Beta&ordering=name&format=json"} {
		var got []struct{ Name string }
		s.as(rahul, http.MethodGet, patients+query, "").decode(t, &got)
		if len(got) != 3 || got[0].Name+got[1].Name+got[2].Name != "GammaAlphaBeta" {
			t.Errorf("%s: %v", query, got)
		}
	}
}
