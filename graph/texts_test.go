package graph_test

import (
	"fmt"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// patientWith returns the input of a patient with other values.
func patientWith(name string, values map[string]any) map[string]any {
	input := graphtest.PatientInput(name)
	for field, value := range values {
		input[field] = value
	}
	return input
}

const createText = `mutation ($input: CreatePatientInput!) { createPatient(input: $input) { patient { id name email phone } userErrors { field code } } }`

func TestCreatePatient_TextsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for i, c := range []struct {
		field, text, want string
	}{
		{"name", "\u200b", "REQUIRED"},
		{"name", "\u2060\u200d", "REQUIRED"},
		{"name", "\u3164", "REQUIRED"},
		{"address", "\u00ad\u180e", "REQUIRED"},
		{"name", "Asha\u202e", "INVALID"},
		{"email", "user@exa\u00admple.com", "INVALID"},
		{"email", "u@example.com\u202c", "INVALID"},
		{"email", "v@example.com\ufffd", "INVALID"},
		{"email", "a@-clinic.example", "INVALID"},
		{"email", "a@clinic-.example", "INVALID"},
		{"phone", "98765🙂43210", "INVALID"},
		{"phone", "98765\u00a043210", "+919876543210"},
		{"phone", "98765\u201143210", "+919876543210"},
		{"phone", "\u202d9876543210\u202c", "+919876543210"},
		{"phone", "\u200e+91 98765 43210", "+919876543210"},
		{"phone", "९८७६५४३२१०", "+919876543210"},
		{"phone", "௯௮௭௬௫௪௩௨௧௦", "+919876543210"},
		{"phone", "1860-266-2667", "+9118602662667"},
		{"name", "  ന്\u200d ", "ന്\u200d"},
		{"email", "DU\u0308@MÜNCHEN.de", "dü@münchen.de"},
	} {
		values := map[string]any{"email": fmt.Sprint("p", i, "@x.example"), "recordNumber": nil}
		values[c.field] = c.text
		answer := rahul.Do(createText, map[string]any{"input": patientWith("Asha", values)})
		payload := answer.Data["createPatient"].(map[string]any)
		got := ""
		if patient, created := payload["patient"].(map[string]any); created {
			got, _ = patient[c.field].(string)
		} else if codes := answer.UserErrorCodes("createPatient"); len(codes) == 1 {
			got = codes[0]
			c.want = "input." + c.field + " " + c.want
		}
		if got != c.want {
			t.Errorf("%s %+q: %q, want %q", c.field, c.text, got, c.want)
		}
	}
}

// Both engines find a name, and count it, in every form.
func TestPatients_SearchFindsEveryForm(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	const search = `query ($s: String!) { patients(search: $s, orderBy: {field: NAME, direction: ASC}) { totalCount nodes { name } } }`
	for i, pair := range [][2]string{
		{"Asha  Rao", "Asha Rao"}, {"محمد\u200c علی", "محمد علی"}, {"പത്മനാഭന്\u200d", "പത്മനാഭൻ"}, {"مُحَمَّد", "محمد"}, {"D\u2019Souza", "D'Souza"}, {"Straßer", "STRASSER"}, {"Łukasz", "lukasz"},
	} {
		for j, name := range pair {
			mark := fmt.Sprintf(" q%d-%d", i, j)
			rahul.Must(createText, map[string]any{"input": patientWith("A", map[string]any{"name": name + mark, "email": nil, "recordNumber": nil})})
			for _, term := range pair {
				found := rahul.Must(search, map[string]any{"s": term + mark})
				equalJSON(t, term+" finds "+name, found.At("patients").Value, map[string]any{"totalCount": 1, "nodes": []any{map[string]any{"name": name + mark}}})
			}
		}
	}
}
