package graph_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// attempts has an operation for each root field. The variables patient, doctor and mapping
// have the ids of records. A missing root field fails the tests below.
func attempts() map[string]string {
	const (
		patient  = `patient { id name address medicalHistory version mappings(isActive: null) { totalCount nodes { notes } } } existing { id name phone } `
		doctor   = `doctor { id name patients { totalCount nodes { name } } } existing { id patients { totalCount } } `
		mapping  = `mapping { id notes patient { id name } }`
		userErrs = `userErrors { field code message }`
		account  = `user { id email } tokens { access } ` + userErrs
	)
	return map[string]string{
		"Query.me":              `{ me { id email doctorProfile { patients { totalCount } } } }`,
		"Query.node":            `query ($patient: ID!) { node(id: $patient) { __typename id ... on Patient { name viewer { relations } } } }`,
		"Query.nodes":           `query ($patient: ID!, $mapping: ID!) { nodes(ids: [$patient, $mapping]) { __typename id } }`,
		"Query.patient":         `query ($patient: ID!) { patient(id: $patient) { id name medicalHistory } }`,
		"Query.patients":        `{ patients { totalCount nodes { id name } } }`,
		"Query.doctor":          `query ($doctor: ID!) { doctor(id: $doctor) { id patients { totalCount nodes { name } } mappings(isActive: null) { totalCount } } }`,
		"Query.doctors":         `{ doctors { totalCount nodes { id patients { totalCount } } } }`,
		"Query.specializations": `{ specializations { name doctorCount } }`,
		"Query.mapping":         `query ($mapping: ID!) { mapping(id: $mapping) { id notes patient { name } } }`,
		"Query.grants":          `{ grants { totalCount nodes { id level } } }`,
		"Query.mappings": `query ($patient: ID!) { mappings(filter: {patientId: $patient, isActive: null}) {
			totalCount pageInfo { startCursor hasNextPage } nodes { id notes } } }`,
		"Query.changes":  `{ changes(first: 5) { reset hasMore gone nodes { __typename id ... on Patient { name } } } }`,
		"Query.accounts": `{ accounts(search: "a") { totalCount nodes { id email } } }`,

		"Mutation.register":         `mutation { register(input: {username: "", email: "x", password: "1", role: PATIENT}) { ` + account + ` } }`,
		"Mutation.login":            `mutation { login(input: {email: "nobody@clinic.example", password: "wrong"}) { ` + account + ` } }`,
		"Mutation.refreshToken":     `mutation { refreshToken(refresh: "no token") { ` + account + ` } }`,
		"Mutation.logout":           `mutation { logout { ` + userErrs + ` } }`,
		"Mutation.logoutEverywhere": `mutation { logoutEverywhere { ` + userErrs + ` } }`,
		"Mutation.changePassword":   `mutation { changePassword(input: {currentPassword: "wrong", newPassword: "Other@4567"}) { ` + account + ` } }`,
		"Mutation.updateMe":         `mutation { updateMe(input: {}) { user { id email } ` + userErrs + ` } }`,
		"Mutation.startTotp":        `mutation { startTotp(password: "wrong") { secret tokens { access } ` + userErrs + ` } }`,
		"Mutation.finishTotp":       `mutation { finishTotp(code: "000000") { recoveryCodes tokens { access } ` + userErrs + ` } }`,
		"Mutation.stopTotp":         `mutation { stopTotp(password: "wrong", otp: "000000") { ` + account + ` } }`,
		"Mutation.endSession":       `mutation { endSession(id: "ses_999999") { ` + userErrs + ` } }`,
		"Mutation.readNotices":      `mutation { readNotices(upTo: "ntc_999999") { user { id email } ` + userErrs + ` } }`,
		"Mutation.eraseMe":          `mutation { eraseMe(password: "wrong") { ` + userErrs + ` } }`,
		"Mutation.disableAccount":   `mutation { disableAccount(id: "usr_999999", reason: "gone") { user { id email } ` + userErrs + ` } }`,
		"Mutation.enableAccount":    `mutation { enableAccount(id: "usr_999999") { user { id email } ` + userErrs + ` } }`,
		"Mutation.setRole":          `mutation { setRole(id: "usr_999999", role: DOCTOR) { user { id email } ` + userErrs + ` } }`,
		"Mutation.transferPatients": `mutation ($patient: ID!) { transferPatients(input: {fromId: "usr_999999", toId: "usr_1", patientIds: [$patient], reason: "x"}) {
			transfer { id } ` + userErrs + ` } }`,
		"Mutation.acceptTransfer":       `mutation { acceptTransfer(id: "trf_999999") { transfer { id reason } ` + userErrs + ` } }`,
		"Mutation.addTeamMember":        `mutation { addTeamMember(input: {username: "nobody", level: FULL}) { grant { id } ` + userErrs + ` } }`,
		"Mutation.acceptGrant":          `mutation { acceptGrant(id: "grt_999999") { grant { id } ` + userErrs + ` } }`,
		"Mutation.endGrant":             `mutation { endGrant(id: "grt_999999") { grant { id } ` + userErrs + ` } }`,
		"Mutation.createClaimCode":      `mutation ($patient: ID!) { createClaimCode(patientId: $patient) { code ` + userErrs + ` } }`,
		"Mutation.confirmEmail":         `mutation { confirmEmail(code: "000000") { user { id email } ` + userErrs + ` } }`,
		"Mutation.sendConfirmation":     `mutation { sendConfirmation { user { id email } ` + userErrs + ` } }`,
		"Mutation.requestPasswordReset": `mutation { requestPasswordReset(email: "nobody@clinic.example") { ` + userErrs + ` } }`,
		"Mutation.resetPassword":        `mutation { resetPassword(token: "no token", newPassword: "Other@4567") { ` + userErrs + ` } }`,
		"Mutation.createLinkCode":       `mutation { createLinkCode { code ` + userErrs + ` } }`,
		"Mutation.claimPatient": `mutation { claimPatient(code: "0000000000", name: "Arjun Sharma", dateOfBirth: "1990-05-15") { grant { id patient { name } } ` +
			userErrs + ` } }`,
		"Mutation.createPatient": `mutation { createPatient(input: {name: "", dateOfBirth: "1", gender: MALE, phone: "1", address: "", emergencyContact: "1"}) { ` +
			patient + userErrs + ` } }`,
		"Mutation.updatePatient": `mutation ($patient: ID!) { updatePatient(id: $patient, input: {name: "Mallory", medicalHistory: null}, expectedVersion: 7) { ` +
			patient + userErrs + ` } }`,
		"Mutation.deletePatient":  `mutation ($patient: ID!) { deletePatient(id: $patient, expectedVersion: 7) { ` + patient + userErrs + ` } }`,
		"Mutation.restorePatient": `mutation ($patient: ID!) { restorePatient(id: $patient) { ` + patient + userErrs + ` } }`,
		"Mutation.createDoctor": `mutation { createDoctor(input: {name: "", email: "x", phone: "1", specialization: "", licenseNumber: "",
			experienceYears: -1, address: "", consultationFee: "x", availability: ""}) { ` + doctor + userErrs + ` } }`,
		"Mutation.updateDoctor":  `mutation ($doctor: ID!) { updateDoctor(id: $doctor, input: {}, expectedVersion: 7) { ` + doctor + userErrs + ` } }`,
		"Mutation.deleteDoctor":  `mutation ($doctor: ID!) { deleteDoctor(id: $doctor, expectedVersion: 7) { ` + doctor + userErrs + ` } }`,
		"Mutation.restoreDoctor": `mutation ($doctor: ID!) { restoreDoctor(id: $doctor) { ` + doctor + userErrs + ` } }`,
		"Mutation.verifyDoctor": `mutation ($doctor: ID!) { verifyDoctor(id: $doctor, input: {isVerified: true, accountId: "usr_999999"}, expectedVersion: 1) { ` +
			doctor + userErrs + ` } }`,
		"Mutation.assignDoctor": `mutation ($patient: ID!, $doctor: ID!) { assignDoctor(input: {patientId: $patient, doctorId: $doctor, notes: "hi"}) { ` +
			mapping + userErrs + ` } }`,
		"Mutation.updateMapping": `mutation ($mapping: ID!) { updateMapping(id: $mapping, input: {notes: "Mallory"}) { ` + mapping + userErrs + ` } }`,
		"Mutation.removeMapping": `mutation ($mapping: ID!) { removeMapping(id: $mapping) { ` + mapping + userErrs + ` } }`,
	}
}

func rootFields(t *testing.T) map[string]*ast.FieldDefinition {
	t.Helper()
	schema, all := graph.Schema(), map[string]*ast.FieldDefinition{}
	for _, def := range []*ast.Definition{schema.Query, schema.Mutation} { // internal/streams has those of Subscription
		for _, field := range def.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			name := def.Name + "." + field.Name
			all[name] = field
			if attempts()[name] == "" {
				t.Errorf("%s has no attempt in this test: say how it is called", name)
			}
		}
	}
	return all
}

// ids returns the variables that the operation declares.
func ids(operation, patient, doctor, mapping string) map[string]any {
	all := map[string]any{}
	for name, id := range map[string]string{"patient": patient, "doctor": doctor, "mapping": mapping} {
		if strings.Contains(operation, "$"+name+":") {
			all[name] = id
		}
	}
	return all
}

func TestRootFields_OpenToWhomThePolicyAdmitsAndToNobodyElse(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: hundreds of requests, one after the other")
	}
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	team := newTeam(c)
	for name, field := range rootFields(t) {
		for _, who := range callers(c, c.Asha, team, false) {
			viewer := model.Anyone
			switch {
			case who.client == c.Admin:
				viewer = signedIn | model.Admin
			case who.client != c.Nemo:
				viewer = signedIn
			}
			client := who.client
			if client != c.Nemo {
				client = client.NewSession() // some attempts end their session
			}
			operation := attempts()[name]
			answer := client.Do(operation, ids(operation, "pat_999999", "doc_999999", "map_999999"))
			want := []string{}
			switch {
			case c.Policy.CanCall(name, viewer):
			case who.client == c.Nemo:
				want = []string{field.Name + " UNAUTHENTICATED"}
			default:
				want = []string{field.Name + " FORBIDDEN"}
			}
			equalJSON(t, name+" for "+who.name, answer.Codes(), want)
			if len(want) > 0 && answer.Data[field.Name] != nil {
				t.Errorf("%s for %s: must be null: %s", name, who.name, answer.Body)
			}
		}
	}
}

// TestMutation_AsksToRunToItsEnd, and a query does not: its client may have gone.
func TestMutation_AsksToRunToItsEnd(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := graphtest.New(t, graphtest.Options{}).With(func(c *graph.Config) { c.RunToEnd = func(context.Context) { asked.Add(1) } })
	for document, want := range map[string]int32{"{ me { id } }": 0, "mutation { logout { userErrors { code } } }": 1} {
		asked.Store(0)
		s.Nobody().Do(document, nil)
		if got := asked.Load(); got != want {
			t.Errorf("%s: asked %d times", document, got)
		}
	}
}
