package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// unknownPK returns the message for an unknown id in a body.
func unknownPK(name, id string) string {
	return `{"` + name + `":["Invalid pk \"` + id + `\" - object does not exist."]}`
}

// pair starts a server with a patient and a doctor entry, both number 1.
func pair(t *testing.T) (server, *graphtest.Client) {
	t.Helper()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Patient("Arjun")
	rahul.Entry("Dr. Priya")
	return s, rahul
}

func TestMappings_NotesAndIDsAreTakenAsWritten(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	for body, want := range map[string]string{
		`{"patient":1,"doctor":1}`:                                            `null`,
		`{"patient":1,"doctor":1,"notes":null}`:                               `null`,
		`{"patient":1,"doctor":1,"notes":""}`:                                 `""`,
		`{"patient":"1","doctor":" 01 ","notes":" Check "}`:                   `"Check"`,
		`{"patient":1,"doctor":1,"notes":5,"is_active":false,"created_by":9}`: `"5"`,
	} {
		got := s.as(rahul, http.MethodPost, mappings, body)
		if got.status != http.StatusCreated || got.member(t, "notes") != want || got.member(t, "is_active") != "true" {
			t.Errorf("%s: %d %s", body, got.status, got.text)
			continue
		}
		s.want(s.as(rahul, http.MethodDelete, mappings+got.member(t, "id")+"/", ""), http.StatusNoContent, "")
	}
	got := s.as(rahul, http.MethodPost, mappings, "patient=1&doctor=1&notes=", "Content-Type", "application/x-www-form-urlencoded")
	if got.status != http.StatusCreated || got.member(t, "patient")+got.member(t, "doctor")+got.member(t, "notes") != `11""` {
		t.Errorf("%d %s", got.status, got.text)
	}
}

func TestMappings_TellAllFaultsInOrder(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	asha := s.Account("Asha", model.RolePatient)
	foreign := number(asha.Patient("Meera"))
	wrong := func(kind string) string { return `["Incorrect type. Expected pk value, received ` + kind + `."]` }
	huge := strings.Repeat("9", 25)
	for body, want := range map[string]string{
		`{}`:                           `{"patient":` + required + `,"doctor":` + required + `}`,
		`{"patient":null,"doctor":""}`: `{"patient":` + null + `,"doctor":` + null + `}`,
		`{"patient":[],"doctor":{},"notes":true}`:      `{"patient":` + wrong("list") + `,"doctor":` + wrong("dict") + `,"notes":` + notText + `}`,
		`{"patient":true,"doctor":"one"}`:              `{"patient":` + wrong("bool") + `,"doctor":` + wrong("str") + `}`,
		`{"patient":1.5,"doctor":"pat_1"}`:             `{"patient":` + wrong("float") + `,"doctor":` + wrong("str") + `}`,
		`{"patient":1,"doctor":"1\u0000"}`:             `{"doctor":` + wrong("str") + `}`,
		`{"patient":99999999,"doctor":1}`:              unknownPK("patient", "99999999"),
		`{"patient":1,"doctor":99999999}`:              unknownPK("doctor", "99999999"),
		`{"patient":` + foreign + `,"doctor":1}`:       unknownPK("patient", foreign),
		`{"patient":0,"doctor":1}`:                     unknownPK("patient", "0"),
		`{"patient":-1,"doctor":1}`:                    unknownPK("patient", "-1"),
		`{"patient":` + huge + `,"doctor":1}`:          unknownPK("patient", huge),
		`{"patient":7,"doctor":8}`:                     `{"patient":["Invalid pk \"7\" - object does not exist."],"doctor":["Invalid pk \"8\" - object does not exist."]}`,
		`{"patient":7}`:                                `{"patient":["Invalid pk \"7\" - object does not exist."],"doctor":` + required + `}`,
		`{"patient":1,"doctor":1,"notes":"a\u0000"}`:   `{"notes":` + nul + `}`,
		`{"patient":1,"doctor":1,"notes":["x"]}`:       `{"notes":` + notText + `}`,
		`{"patient":1,"doctor":1,"notes":{"a":{}}}`:    `{"notes":` + notText + `}`,
		`{"patient":"","doctor":1,"notes":"a\u0000b"}`: `{"patient":` + null + `,"notes":` + nul + `}`,
	} {
		s.want(s.as(rahul, http.MethodPost, mappings, body), http.StatusBadRequest, want)
	}
	if n := s.Row(`SELECT count(*)::text FROM mappings`); n != "0" {
		t.Errorf("there are %s mappings: a refused request made one", n)
	}
}

func TestMappings_APairIsActiveOnceAndCanBeAssignedAgain(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	const body = `{"patient":1,"doctor":1,"notes":"x"}`
	first := s.as(rahul, http.MethodPost, mappings, body)
	if first.status != http.StatusCreated {
		t.Fatal(first.text)
	}
	twice := s.as(rahul, http.MethodPost, mappings, body)
	s.want(twice, http.StatusBadRequest, `{"non_field_errors":["This doctor is already assigned to this patient."]}`)
	s.want(s.as(rahul, http.MethodDelete, mappings+"1/", ""), http.StatusNoContent, "")
	s.want(s.as(rahul, http.MethodDelete, mappings+"1/", ""), http.StatusNotFound, notFound)
	second := s.as(rahul, http.MethodPost, mappings, body)
	if second.status != http.StatusCreated || second.member(t, "id") == first.member(t, "id") {
		t.Errorf("%d %s", second.status, second.text)
	}
	s.want(s.as(rahul, http.MethodGet, mappings, ""), http.StatusOK, `[`+second.text+`]`)
}

func TestMappings_TheNumberIsAPatientToGetAndAMappingToDelete(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	lonely, arjun := rahul.Patient("Lonely"), rahul.Patient("Arjun") // 1 and 2
	one, two := rahul.Entry("Dr. One"), rahul.Entry("Dr. Two")
	first, second := rahul.Assign(arjun, one, "first"), rahul.Assign(arjun, two, "second") // 1 and 2
	if number(lonely) != number(first) {
		t.Fatal("the test wants a patient and a mapping of the same number")
	}
	for _, path := range []string{mappings + "%/", mappings + "%", patients + "%/mappings/", patients + "0%/mappings"} {
		at := func(id string) string { return strings.Replace(path, "%", number(id), 1) }
		s.want(s.as(rahul, http.MethodGet, at(lonely), ""), http.StatusOK, `[]`)
		var got []struct {
			ID, Patient int
			Notes       string
		}
		s.as(rahul, http.MethodGet, at(arjun), "").decode(t, &got)
		if len(got) != 2 || got[0].Notes != "second" || got[1].Notes != "first" || got[0].Patient != 2 {
			t.Errorf("%s: %v", path, got)
		}
	}
	s.want(s.as(rahul, http.MethodDelete, mappings+number(second)+"/", ""), http.StatusNoContent, "")
	list := s.as(rahul, http.MethodGet, mappings+number(arjun)+"/", "")
	if strings.Contains(list.text, "second") || !strings.Contains(list.text, "first") {
		t.Errorf("after the second one ended: %s", list.text)
	}
}

func TestMappings_LatestComesFirst(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	other := c.Rahul.Patient("Beena")
	c.Rahul.Assign(other, c.RahulsEntry, "the last one")
	var got []struct{ Notes string }
	s.as(c.Rahul, http.MethodGet, mappings, "").decode(t, &got)
	if len(got) != 3 || got[0].Notes != "the last one" {
		t.Errorf("%v", got)
	}
}

func TestMappings_ThoseWhoSeeOneButMayNotAreTold(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	at := mappings + number(c.PriyasMapping) + "/"
	for _, who := range []*graphtest.Client{c.Priya, c.Admin} {
		s.want(s.as(who, http.MethodDelete, at, ""), http.StatusForbidden, forbidden)
		s.want(s.as(who, http.MethodPost, mappings, `{"patient":`+number(c.Patient)+`,"doctor":`+number(c.RahulsEntry)+`}`),
			http.StatusForbidden, `{"detail":"Only the patient's owner may assign a doctor."}`)
	}
	for _, who := range []*graphtest.Client{c.Dev, c.Neha, c.Asha} {
		s.want(s.as(who, http.MethodDelete, at, ""), http.StatusNotFound, notFound)
	}
	if got := s.Row(`SELECT is_active::text FROM mappings WHERE id = $1`, number(c.PriyasMapping)); got != "true" {
		t.Error("it was ended")
	}
}

func TestAssignedDoctor_SeesThePatientsAndWhatIsHiddenIsNull(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	at := patients + number(c.Patient) + "/"
	full := s.as(c.Rahul, http.MethodGet, at, "")
	hide := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(full.text) }
	seen := hide(`"created_by":"rahul@clinic.example"`, `"created_by":null`)
	s.want(s.as(c.Priya, http.MethodGet, at, ""), http.StatusOK, seen)
	s.want(s.as(c.Priya, http.MethodGet, patients, ""), http.StatusOK, `[`+seen+`]`)
	ran := hide(`"blood_group":"B+"`, `"blood_group":null`, `"emergency_contact":"9876543210"`, `"emergency_contact":null`,
		`"medical_history":"Allergic to penicillin"`, `"medical_history":null`)
	s.want(s.as(c.Admin, http.MethodGet, at, ""), http.StatusOK, ran)
	s.want(s.as(c.Admin, http.MethodGet, patients, ""), http.StatusOK, `[`+ran+`]`)
	for who, notes := range map[*graphtest.Client]string{c.Priya: `"` + graphtest.Notes + `"`, c.Admin: `null`} {
		for _, path := range []string{mappings, mappings + number(c.Patient) + "/", at + "mappings/"} {
			list := s.as(who, http.MethodGet, path, "")
			var got []struct{ Notes *string }
			list.decode(t, &got)
			if len(got) != 2 || strings.Count(list.text, `"notes":`+notes+`,`) != 2 {
				t.Errorf("%s: %s", path, list.text)
			}
			if who == c.Admin && strings.Contains(list.text, "penicillin") || who == c.Priya && strings.Contains(list.text, "rahul@") {
				t.Errorf("%s shows what is hidden: %s", path, list.text)
			}
		}
	}
	// Assigned doctors set clinical text, and nothing else.
	if got := s.as(c.Priya, http.MethodPatch, at, `{"medical_history":"Asthma","blood_group":"O-"}`); got.status != http.StatusOK ||
		got.member(t, "medical_history")+got.member(t, "blood_group")+got.member(t, "created_by") != `"Asthma""O-"null` {
		t.Errorf("%d %s", got.status, got.text)
	}
	for _, body := range []string{`{"name":"X"}`, `{"name":"X","medical_history":"Y"}`, `{"name":true}`, `{"gender":"x"}`, arjunsBody} {
		s.want(s.as(c.Priya, http.MethodPatch, at, body), http.StatusForbidden, forbidden)
	}
	s.want(s.as(c.Priya, http.MethodPatch, at, `{"blood_group":"Z"}`), http.StatusBadRequest, `{"blood_group":["\"Z\" is not a valid choice."]}`)
	s.want(s.as(c.Priya, http.MethodPatch, at, `{"medical_history":true}`), http.StatusBadRequest, `{"medical_history":`+notText+`}`)
	s.want(s.as(c.Priya, http.MethodPut, at, arjunsBody), http.StatusForbidden, forbidden)
	s.want(s.as(c.Priya, http.MethodDelete, at, ""), http.StatusForbidden, forbidden)
	s.want(s.as(c.Admin, http.MethodPatch, at, `{}`), http.StatusForbidden, forbidden)
	// Doctors who are not assigned, or not verified, see nothing.
	for _, who := range []*graphtest.Client{c.Dev, c.Neha, c.Asha} {
		s.want(s.as(who, http.MethodGet, patients, ""), http.StatusOK, `[]`)
		s.want(s.as(who, http.MethodGet, mappings, ""), http.StatusOK, `[]`)
	}
}
