package rest_test

import (
	"net/http"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

// A text with half a character is refused, and nothing else is stored in its place.
func TestBodies_HalfACharacterIsNoText(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	created := s.as(rahul, http.MethodPost, patients, arjunsBody)
	one := patients + created.member(t, "id") + "/"
	for _, c := range []struct{ content, body, field string }{
		{"application/json", `{"medical_history":"Allergic to \ud83d"}`, "medical_history"},
		{"application/json", `{"name":"Asha \udc00b"}`, "name"},
		{"application/json", `{"address":"\ude00\ud83d"}`, "address"},
		{"application/json", `{"email":"a\ud83d@x.example"}`, "email"},
		{"application/json", `{"phone":"98765\ud83d43210"}`, "phone"},
		{"application/json", `{"name":["\ud83d"]}`, "name"},
		{"application/json", `{"na\u006de":"\uD83D \\ud83d"}`, "name"},
		{"application/x-www-form-urlencoded", "medical_history=%ED%A0%BD", "medical_history"},
		{"application/x-www-form-urlencoded", "name=a%FF", "name"},
		{"multipart/form-data; boundary=X", multipart(`name="address"`, "a\xff"), "address"},
	} {
		got := s.as(rahul, http.MethodPatch, one, c.body, "Content-Type", c.content)
		if got.status != http.StatusBadRequest || got.member(t, c.field) != notText {
			t.Errorf("%s: %d %s", c.body, got.status, got.text)
		}
	}
	testutil.Equal(t, "the patient", s.as(rahul, http.MethodGet, one, "").text, created.text)
	got := s.as(rahul, http.MethodPatch, one, `{"name":"\ud83d\ude00 \\ud83d"}`)
	testutil.Equal(t, "a whole pair", got.member(t, "name"), `"😀 \\ud83d"`)
	testutil.Equal(t, "an unknown member", s.as(rahul, http.MethodPatch, one, `{"other":"\ud83d"}`).status, http.StatusOK)
}

func TestPatients_TextsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, c := range []struct{ members, field, want string }{
		{`"name":"\u200b"`, "name", blank},
		{`"name":"\u2060\u200d"`, "name", blank},
		{`"address":"\u3164"`, "address", blank},
		{`"phone":"\u200b"`, "phone", blank},
		{`"name":"a\u202eb"`, "name", `["Characters that override the direction of writing are not allowed."]`},
		{`"email":"a@clinic_.example"`, "email", badMail},
		{`"email":"a@-clinic.example"`, "email", badMail},
		{`"email":"a@clinic.example\u200b"`, "email", badMail},
		{`"emergency_contact":"①②③"`, "emergency_contact", badPhone},
	} {
		got := s.as(rahul, http.MethodPost, patients, but(arjunsBody, c.members))
		if got.status != http.StatusBadRequest || got.member(t, c.field) != c.want {
			t.Errorf("%s: %d %s", c.members, got.status, got.text)
		}
	}
	for _, c := range []struct{ members, field, want string }{
		{`"phone":"\u202d98765\u00a043210\u202c","email":"p1@x.example"`, "phone", `"9876543210"`},
		{`"phone":"९८७६५४३२१०","email":"p2@x.example"`, "phone", `"9876543210"`},
		{`"emergency_contact":"1800 266 0101","email":"p3@x.example"`, "emergency_contact", `"18002660101"`},
	} {
		got := s.as(rahul, http.MethodPost, patients, but(arjunsBody, c.members))
		if got.status != http.StatusCreated || got.member(t, c.field) != c.want {
			t.Errorf("%s: %d %s", c.members, got.status, got.text)
		}
	}
}
