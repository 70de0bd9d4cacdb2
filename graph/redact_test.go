package graph_test

import (
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

const hiddenFromAdmin = `{
	mine: patients { nodes { name secret: medicalHistory bloodGroup } edges { node { emergencyContact } } }
	mappings { nodes { id notes patient { name medicalHistory } } }
	doctors { nodes { name deletedAt account { username } } }
}`

func TestRedact_ListsExactlyTheHiddenPathsAndLeavesNoErrors(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	c.Rahul.Patient("Second Person")
	want := []string{
		"mappings.nodes.0.notes", "mappings.nodes.0.patient.medicalHistory",
		"mappings.nodes.1.notes", "mappings.nodes.1.patient.medicalHistory",
		"mine.edges.0.node.emergencyContact", "mine.edges.1.node.emergencyContact",
		"mine.nodes.0.bloodGroup", "mine.nodes.0.secret", "mine.nodes.1.bloodGroup", "mine.nodes.1.secret",
	}
	redacted := c.Admin.Do("query @redact "+hiddenFromAdmin, nil)
	equalJSON(t, "errors", redacted.Codes(), []string{})
	equalJSON(t, "extensions.redacted", redacted.Redacted(), want)
	for _, secret := range []string{"Allergic", graphtest.Notes, "9876543210"} {
		if strings.Contains(redacted.Body, secret) {
			t.Errorf("%s is in the answer: %s", secret, redacted.Body)
		}
	}

	plain := c.Admin.Do("query "+hiddenFromAdmin, nil)
	for i := range want {
		want[i] += " FORBIDDEN_FIELD"
	}
	equalJSON(t, "without @redact", plain.Codes(), want)
	equalJSON(t, "without @redact", plain.Redacted(), []string{})
	equalJSON(t, "the data", plain.Data, redacted.Data)

	nothing := c.Rahul.Do("query @redact { patients { nodes { medicalHistory } } }", nil)
	equalJSON(t, "where nothing is hidden", nothing.Extensions, nil)
}

func TestRedact_HoldsForMutationsAndFragments(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	answer := c.Priya.Do(`mutation ($id: ID!) @redact {
		did: updatePatient(id: $id, input: {bloodGroup: O_NEGATIVE}) { patient { ...p } userErrors { code } }
	}
	fragment p on Patient { bloodGroup createdBy { username mail: email ... on User { phone } } }`, map[string]any{"id": c.Patient})
	equalJSON(t, "errors", answer.Codes(), []string{})
	equalJSON(t, "extensions.redacted", answer.Redacted(), []string{"did.patient.createdBy.mail", "did.patient.createdBy.phone"})
	if !strings.Contains(answer.Body, `"bloodGroup":"O_NEGATIVE"`) {
		t.Errorf("not done: %s", answer.Body)
	}
}

// TestRedact_IsOfOneOperation: the directive has no effect on other operations of the
// document.
func TestRedact_IsOfOneOperation(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	document := `query Quiet @redact { patients { nodes { bloodGroup } } } query Loud { patients { nodes { bloodGroup } } }`
	equalJSON(t, "Quiet", c.Admin.Run(document, "Quiet").Codes(), []string{})
	equalJSON(t, "Loud", c.Admin.Run(document, "Loud").Codes(), []string{"patients.nodes.0.bloodGroup FORBIDDEN_FIELD"})
}

// TestRedact_RefusedRootFieldsAreErrorsStill: only values of records are redacted.
func TestRedact_RefusedRootFieldsAreErrorsStill(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	nobody := c.Nemo.Do(`query @redact { me { id } }`, nil)
	equalJSON(t, "nobody", nobody.Codes(), []string{"me UNAUTHENTICATED"})
	equalJSON(t, "nobody", nobody.Redacted(), []string{})
	refused := c.Rahul.Do(`mutation @redact { verifyDoctor(id: 1, input: {isVerified: true}, expectedVersion: 1) { doctor { id } } }`, nil)
	equalJSON(t, "not an administrator", refused.Codes(), []string{"verifyDoctor FORBIDDEN"})
	equalJSON(t, "not an administrator", refused.Redacted(), []string{})
}
