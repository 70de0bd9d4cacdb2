package rest_test

import (
	"net/http"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

const (
	patients = "/api/patients/"
	doctors  = "/api/doctors/"
	mappings = "/api/mappings/"

	rahulsBody = `{"username":"rahul_kumar","email":"rahul.kumar@gmail.com","password":"Secure@123","phone":"9876543210","role":"patient"}`
	arjunsBody = `{"name":"Arjun Sharma","email":"arjun.sharma@gmail.com","phone":"8765432109","date_of_birth":"1990-05-15",` +
		`"address":"123 MG Road, Bangalore","gender":"male","blood_group":"B+","emergency_contact":"9876543210",` +
		`"medical_history":"No known allergies"}`
	priyasBody = `{"name":"Dr. Priya Patel","email":"priya.patel@aiims.edu","phone":"7654321098","specialization":"Cardiology",` +
		`"license_number":"CARD2025001","experience_years":8,"address":"AIIMS Hospital, New Delhi",` +
		`"consultation_fee":"1500.00","availability":"Mon-Fri 9AM-5PM"}`

	arjun = `{"id":1,"name":"Arjun Sharma","email":"arjun.sharma@gmail.com","phone":"8765432109","date_of_birth":"1990-05-15",` +
		`"address":"123 MG Road, Bangalore","gender":"male","blood_group":"B+","emergency_contact":"9876543210",` +
		`"medical_history":"No known allergies","created_by":"rahul.kumar@gmail.com","created_at":"TIME","updated_at":"TIME"}`
	priya = `{"id":1,"name":"Dr. Priya Patel","email":"priya.patel@aiims.edu","phone":"7654321098","specialization":"Cardiology",` +
		`"license_number":"CARD2025001","experience_years":8,"address":"AIIMS Hospital, New Delhi",` +
		`"consultation_fee":"1500.00","availability":"Mon-Fri 9AM-5PM","created_at":"TIME","updated_at":"TIME"}`
	assigned = `{"id":1,"patient":1,"doctor":1,"patient_details":` + arjun + `,"doctor_details":` + priya + `,` +
		`"notes":"Regular cardiology consultation","is_active":true,"assigned_date":"TIME","created_by":"rahul.kumar@gmail.com",` +
		`"created_at":"TIME","updated_at":"TIME"}`
)

// The README of the replaced API shows these calls with these bodies.
func TestWalkThrough_OfTheReplacedREADME(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	s.match(s.post(register, rahulsBody), http.StatusCreated,
		`{"user":{"id":1,"username":"rahul_kumar","email":"rahul.kumar@gmail.com","phone":"9876543210","role":"patient"},`+
			`"message":"User registered successfully","tokens":{"refresh":"TOKEN","access":"TOKEN"}}`)
	in := s.post(login, `{"email":"rahul.kumar@gmail.com","password":"Secure@123"}`)
	s.match(in, http.StatusOK, `{"refresh":"TOKEN","access":"TOKEN","user":{"id":1,"email":"rahul.kumar@gmail.com","role":"patient"}}`)
	var session tokens
	in.decode(t, &session)
	auth := bearer(session.Access)

	s.match(s.post(patients, arjunsBody, auth...), http.StatusCreated, arjun)
	s.match(s.send(http.MethodGet, patients, "", auth...), http.StatusOK, `[`+arjun+`]`)
	s.match(s.send(http.MethodGet, patients+"1/", "", auth...), http.StatusOK, arjun)
	s.match(s.post(doctors, priyasBody, auth...), http.StatusCreated, priya)
	s.match(s.send(http.MethodGet, doctors, "", auth...), http.StatusOK, `[`+priya+`]`)
	s.match(s.send(http.MethodGet, doctors+"1/", "", auth...), http.StatusOK, priya)

	made := s.post(mappings, `{"patient":1,"doctor":1,"notes":"Regular cardiology consultation"}`, auth...)
	s.match(made, http.StatusCreated, assigned)
	if made.header.Get("Location") != "" {
		t.Errorf("Location %s: below it, GET takes the id of a patient", made.header.Get("Location"))
	}
	for _, path := range []string{mappings, mappings + "1/", patients + "1/mappings/"} {
		s.match(s.send(http.MethodGet, path, "", auth...), http.StatusOK, `[`+assigned+`]`)
	}

	s.match(s.send(http.MethodPut, patients+"1/", arjunsBody, auth...), http.StatusOK, arjun)
	s.match(s.send(http.MethodPut, doctors+"1/", priyasBody, auth...), http.StatusOK, priya)
	s.want(s.send(http.MethodDelete, mappings+"1/", "", auth...), http.StatusNoContent, "")
	s.want(s.send(http.MethodDelete, doctors+"1/", "", auth...), http.StatusNoContent, "")
	s.want(s.send(http.MethodDelete, patients+"1/", "", auth...), http.StatusNoContent, "")
	for _, path := range []string{patients, doctors, mappings} {
		s.want(s.send(http.MethodGet, path, "", auth...), http.StatusOK, `[]`)
	}
}
