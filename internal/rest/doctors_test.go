package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

const (
	notInt    = `["A valid integer is required."]`
	notNumber = `["A valid number is required."]`
	forbidden = `{"detail":"You may not change this."}`
)

func TestDoctors_WhatIsTakenAndHowItComesBack(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for i, c := range []struct{ members, name, want string }{
		{`"experience_years":0`, "experience_years", `0`},
		{`"experience_years":70`, "experience_years", `70`},
		{`"experience_years":8.0`, "experience_years", `8`},
		{`"experience_years":80e-1`, "experience_years", `8`},
		{`"experience_years":" 8 "`, "experience_years", `8`},
		{`"experience_years":"8.0"`, "experience_years", `8`},
		{`"consultation_fee":1500`, "consultation_fee", `"1500.00"`},
		{`"consultation_fee":1500.5`, "consultation_fee", `"1500.50"`},
		{`"consultation_fee":"1e3"`, "consultation_fee", `"1000.00"`},
		{`"consultation_fee":" 1500 "`, "consultation_fee", `"1500.00"`},
		{`"consultation_fee":0`, "consultation_fee", `"0.00"`},
		{`"consultation_fee":"100000.00"`, "consultation_fee", `"100000.00"`},
		{`"email":"Priya.Patel@AIIMS.edu"`, "email", `"priya.patel@aiims.edu"`},
		{`"phone":"+91 76543 21098"`, "phone", `"7654321098"`},
		{`"availability":"` + strings.Repeat("a", 200) + `"`, "availability", `"` + strings.Repeat("a", 200) + `"`},
		{`"id":77,"is_verified":true,"created_by":1`, "id", `17`},
	} {
		license := `,"license_number":"L` + string(rune('a'+i)) + `"`
		got := s.as(rahul, http.MethodPost, doctors, but(priyasBody, c.members+license))
		if got.status != http.StatusCreated {
			t.Errorf("%s: %d %s", c.members, got.status, got.text)
			continue
		}
		if c.name == "id" {
			c.want = got.member(t, "id")
		}
		if got.member(t, c.name) != c.want || got.header.Get("Location") != doctors+got.member(t, "id")+"/" {
			t.Errorf("%s: %s %s", c.members, got.header.Get("Location"), got.text)
		}
		s.want(s.as(rahul, http.MethodGet, got.header.Get("Location"), ""), http.StatusOK, got.text)
		if strings.Contains(got.text, "created_by") || strings.Contains(got.text, "verified") {
			t.Errorf("more than the contract: %s", got.text)
		}
	}
	if n := s.Row(`SELECT count(*)::text FROM doctors WHERE is_verified OR id = 77`); n != "0" {
		t.Error("a read-only member was taken")
	}
}

func TestDoctors_TellAllFaultsInOrder(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	s.as(rahul, http.MethodPost, doctors, priyasBody)
	valid := func(members string) string { return but(but(priyasBody, `"license_number":"OTHER"`), members) }
	const fee = `["The consultation fee must lie between 0 and 100000."]`
	cases := map[string]string{
		`{}`: `{"name":` + required + `,"email":` + required + `,"phone":` + required + `,"specialization":` + required + `,"license_number":` + required +
			`,"experience_years":` + required + `,"address":` + required + `,"consultation_fee":` + required + `,"availability":` + required + `}`,
		`{"name":null,"email":"x","phone":"","specialization":"a\u0000","license_number":[],"experience_years":"x","address":{},"consultation_fee":true,"availability":" "}`: `{"name":` + null +
			`,"email":` + badMail + `,"phone":` + blank + `,"specialization":` + nul + `,"license_number":` + notText + `,"experience_years":` + notInt +
			`,"address":` + notText + `,"consultation_fee":` + notNumber + `,"availability":` + blank + `}`,
		valid(`"experience_years":-1`):                         `{"experience_years":["Ensure this value is greater than or equal to 0."]}`,
		valid(`"experience_years":71`):                         `{"experience_years":["Experience years seems unrealistic."]}`,
		valid(`"experience_years":2147483648`):                 `{"experience_years":["Ensure this value is less than or equal to 2147483647."]}`,
		valid(`"experience_years":` + strings.Repeat("9", 40)): `{"experience_years":["Ensure this value is less than or equal to 2147483647."]}`,
		valid(`"experience_years":-2147483649`):                `{"experience_years":["Ensure this value is greater than or equal to -2147483648."]}`,
		valid(`"experience_years":null`):                       `{"experience_years":` + null + `}`,
		// There is no other error, and no integer is invalid as such.
		valid(`"experience_years":"x","email":"y"`):                  `{"email":` + badMail + `,"experience_years":` + notInt + `}`,
		valid(`"consultation_fee":-1`):                               `{"consultation_fee":` + fee + `}`,
		valid(`"consultation_fee":100000.01`):                        `{"consultation_fee":` + fee + `}`,
		valid(`"consultation_fee":"1.005"`):                          `{"consultation_fee":["Ensure that there are no more than 2 decimal places."]}`,
		valid(`"consultation_fee":null`):                             `{"consultation_fee":` + null + `}`,
		but(priyasBody, `"name":"Other"`):                            `{"license_number":["doctor with this license number already exists."]}`,
		valid(`"name":"` + strings.Repeat("a", 101) + `"`):           `{"name":["Ensure this field has no more than 100 characters."]}`,
		valid(`"specialization":"` + strings.Repeat("a", 101) + `"`): `{"specialization":["Ensure this field has no more than 100 characters."]}`,
		valid(`"license_number":"` + strings.Repeat("a", 51) + `"`):  `{"license_number":["Ensure this field has no more than 50 characters."]}`,
		valid(`"availability":"` + strings.Repeat("a", 201) + `"`):   `{"availability":["Ensure this field has no more than 200 characters."]}`,
	}
	for _, value := range []string{`8.5`, `"eight"`, `""`, `true`, `[]`, `{}`, `1e-4`, `1e400`, `"8e0"`, `"0x8"`} {
		cases[valid(`"experience_years":`+value)] = `{"experience_years":` + notInt + `}`
	}
	for _, value := range []string{`"NaN"`, `"Infinity"`, `"1,500"`, `"abc"`, `true`, `[]`, `{}`, `1e400`, `"` + strings.Repeat("1", 60) + `"`} {
		cases[valid(`"consultation_fee":`+value)] = `{"consultation_fee":` + notNumber + `}`
	}
	for body, want := range cases {
		s.want(s.as(rahul, http.MethodPost, doctors, body), http.StatusBadRequest, want)
	}
	if n := s.Row(`SELECT count(*)::text FROM doctors`); n != "1" {
		t.Errorf("there are %s entries: a refused request made one", n)
	}
}

func TestDoctors_ALicenseIsUniqueByItsLettersAsWritten(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	s.as(rahul, http.MethodPost, doctors, priyasBody)
	taken := `{"license_number":["doctor with this license number already exists."]}`
	s.want(s.as(asha, http.MethodPost, doctors, priyasBody), http.StatusBadRequest, taken)
	// It has the e-mail address of the first one, which is allowed.
	other := s.as(asha, http.MethodPost, doctors, but(priyasBody, `"license_number":"card2025001"`))
	if other.status != http.StatusCreated {
		t.Fatalf("%d %s", other.status, other.text)
	}
	s.want(s.as(asha, http.MethodPatch, other.header.Get("Location"), `{"license_number":"CARD2025001"}`), http.StatusBadRequest, taken)
}

func TestDoctors_ChangesAreForThoseWhoKeepTheEntry(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	at := doctors + number(c.PriyasEntry) + "/"
	before := s.as(c.Rahul, http.MethodGet, at, "")
	for _, stranger := range []*graphtest.Client{c.Rahul, c.Dev, c.Asha} {
		for _, body := range []string{priyasBody, `{}`, `{"name":"Mine"}`, `{"name":""}`, `{"experience_years":"x"}`} {
			s.want(s.as(stranger, http.MethodPatch, at, body), http.StatusForbidden, forbidden)
		}
		s.want(s.as(stranger, http.MethodPut, at, priyasBody), http.StatusForbidden, forbidden)
		s.want(s.as(stranger, http.MethodPut, at, `{}`), http.StatusForbidden, forbidden)
		s.want(s.as(stranger, http.MethodDelete, at, ""), http.StatusForbidden, forbidden)
		s.want(s.as(stranger, http.MethodGet, at, ""), http.StatusOK, before.text)
	}
	for _, keeper := range []*graphtest.Client{c.Priya, c.Admin} {
		if got := s.as(keeper, http.MethodPatch, at, `{"experience_years":9}`); got.status != http.StatusOK || got.member(t, "experience_years") != "9" {
			t.Errorf("%d %s", got.status, got.text)
		}
		if got := s.as(keeper, http.MethodPut, at, but(priyasBody, `"license_number":"PUT"`)); got.status != http.StatusOK {
			t.Errorf("%d %s", got.status, got.text)
		}
	}
	s.want(s.as(c.Priya, http.MethodPut, at, without(t, priyasBody, "availability")), http.StatusBadRequest, `{"availability":`+required+`}`)
	s.want(s.as(c.Priya, http.MethodPatch, at, `{"name":null}`), http.StatusBadRequest, `{"name":`+null+`}`)
}

func TestDoctors_DeletedLeaveTheListsAndStayInMappings(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	at := doctors + number(c.PriyasEntry) + "/"
	s.want(s.as(c.Priya, http.MethodDelete, at, ""), http.StatusNoContent, "")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, who := range []*graphtest.Client{c.Priya, c.Asha, c.Admin} {
			s.want(s.as(who, method, at, priyasBody), http.StatusNotFound, notFound)
		}
	}
	if list := s.as(c.Rahul, http.MethodGet, doctors, ""); strings.Contains(list.text, "Priya Patel") || !strings.Contains(list.text, "Dev Rao") {
		t.Errorf("the list is %s", list.text)
	}
	if list := s.as(c.Rahul, http.MethodGet, mappings, ""); !strings.Contains(list.text, `"name":"Dr. Priya Patel"`) {
		t.Errorf("the mappings are %s", list.text)
	}
	s.want(s.as(c.Rahul, http.MethodPost, mappings, `{"patient":1,"doctor":`+number(c.PriyasEntry)+`}`), http.StatusBadRequest,
		`{"doctor":["Invalid pk \"`+number(c.PriyasEntry)+`\" - object does not exist."]}`)
	// The doctor is no longer assigned.
	s.want(s.as(c.Priya, http.MethodGet, patients, ""), http.StatusOK, `[]`)
}

func TestDoctors_AreListedByName(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for _, name := range []string{"Dr. Beta", "dr. alpha", "Dr. Gamma"} {
		rahul.Entry(name)
	}
	var got []struct{ Name string }
	s.as(s.Account("Asha", model.RolePatient), http.MethodGet, doctors, "").decode(t, &got)
	if len(got) != 3 || got[0].Name+got[1].Name+got[2].Name != "dr. alphaDr. BetaDr. Gamma" {
		t.Errorf("%v", got)
	}
}
