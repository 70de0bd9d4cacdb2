package graph_test

import (
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

// introspected returns the description of each field, by "Type.field".
func introspected(t *testing.T, c *graphtest.Client) map[string]string {
	t.Helper()
	types := c.Must(`{ __schema { types { name
		fields { name description } inputFields { name description } } } }`, nil).At("__schema", "types")
	all := map[string]string{}
	for i := range types.Len() {
		for _, kind := range []string{"fields", "inputFields"} {
			fields, _ := types.At(i, kind).Value.([]any)
			for j := range fields {
				text, _ := types.At(i, kind, j, "description").Value.(string)
				all[types.Text(i, "name")+"."+types.Text(i, kind, j, "name")] = text
			}
		}
	}
	return all
}

// Introspection carries no directives.
func TestIntrospection_SaysWhatTheDirectivesSay(t *testing.T) {
	t.Parallel()
	said := introspected(t, graphtest.New(t, graphtest.Options{}).Account("Asha", "PATIENT"))
	for field, want := range map[string]string{
		"Patient.name":                      " At most 100 characters.",
		"Patient.medicalHistory":            " At most 20,000 characters.",
		"CreatePatientInput.address":        " At most 20,000 characters.",
		"UpdatePatientInput.name":           " At most 100 characters.",
		"UpdatePatientInput.email":          " At most 254 characters.",
		"AssignDoctorInput.notes":           " At most 20,000 characters.",
		"RegisterInput.username":            " At most 150 characters.",
		"RegisterInput.password":            " 8 to 128 characters.",
		"ChangePasswordInput.newPassword":   " 8 to 128 characters.",
		"Doctor.experienceYears":            " 0 to 70.",
		"UpdateDoctorInput.experienceYears": " 0 to 70.",
		"CreateDoctorInput.consultationFee": " 0 to 100,000.",
		"Mutation.login":                    "\n\nuserErrors: INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS, OTP_REQUIRED, INVALID_CODE, INVALID, TOO_LONG.",
		"Mutation.removeMapping":            "\n\nuserErrors: NOT_FOUND, FORBIDDEN, DELETED, VERSION_CONFLICT.",
		"Mutation.logoutEverywhere":         "\n\nuserErrors: none.",
	} {
		if text := said[field]; !strings.HasSuffix(text, want) || strings.Count(text, strings.TrimSpace(want)) != 1 {
			t.Errorf("%s: %q does not end with %q once", field, text, want)
		}
	}
	for _, field := range []string{"Patient.gender", "LoginInput.password", "PatientFilter.gender"} {
		if text := said[field]; strings.Contains(text, "characters.") {
			t.Errorf("%s has a limit that the schema does not have: %q", field, text)
		}
	}
}

// TestIntrospection_OffersOnlyDirectivesThatTheServerTakes: a document with another one
// is not valid.
func TestIntrospection_OffersOnlyDirectivesThatTheServerTakes(t *testing.T) {
	t.Parallel()
	asha := graphtest.New(t, graphtest.Options{}).Account("Asha", "PATIENT")
	directives := asha.Must(`{ __schema { directives { name } } }`, nil).At("__schema", "directives")
	for i := range directives.Len() {
		if name := directives.Text(i, "name"); name == "defer" || name == "stream" {
			t.Errorf("@%s is offered", name)
		}
	}
	for _, document := range []string{
		`{ me { ... @defer { username } } }`, `{ me { ... @defer(if: false) { username } } }`,
		`{ me { ...f @defer } } fragment f on User { username }`, `{ me { ...f } } fragment f on User { ... @defer { username } }`,
	} {
		answer := asha.Do(document, nil)
		if codes := answer.Codes(); answer.Status != 400 || answer.Data != nil || len(codes) == 0 || codes[0] != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%s: %d %s", document, answer.Status, answer.Body)
		}
	}
	asha.Must(`{ defer: me { username } }`, nil)
}
