package graphtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Patient creates a patient with every field set and returns its id.
func (c *Client) Patient(name string) string {
	c.Server.tb.Helper()
	return c.Must(`mutation ($input: CreatePatientInput!) {
		createPatient(input: $input) { patient { id } userErrors { field code message } } }`,
		map[string]any{"input": PatientInput(name)}).Text("createPatient", "patient", "id")
}

// PatientInput is a CreatePatientInput with every field set.
func PatientInput(name string) map[string]any {
	return map[string]any{
		"name": name, "dateOfBirth": "1990-05-15", "gender": "MALE", "phone": "8765432109",
		"email": emailOf(name), "address": "123 MG Road, Bangalore", "emergencyContact": "9876543210",
		"bloodGroup": "B_POSITIVE", "medicalHistory": "Allergic to penicillin",
		"recordNumber": "OPD " + name, "abhaNumber": "91123456789012",
	}
}

// Entry creates an unverified doctor entry without a linked account and returns its id.
func (c *Client) Entry(name string) string {
	c.Server.tb.Helper()
	return c.createDoctor(DoctorInput(name))
}

// DoctorInput is a CreateDoctorInput with a license number from the name.
func DoctorInput(name string) map[string]any {
	return map[string]any{
		"name": name, "email": emailOf(name), "phone": "7654321098", "specialization": "Cardiology",
		"licenseNumber": "LIC-" + emailOf(name), "experienceYears": 8, "address": "AIIMS, New Delhi",
		"consultationFee": "1500.50", "availability": "Mon-Fri 9AM-5PM",
	}
}

// OwnEntry creates an unverified doctor entry that is linked to the client's account.
func (c *Client) OwnEntry(name string) string {
	c.Server.tb.Helper()
	input := DoctorInput(name)
	input["isMe"] = true
	return c.createDoctor(input)
}

// VerifiedDoctor is OwnEntry for an entry that the administrator verifies.
func (c *Client) VerifiedDoctor(admin *Client, name string) string {
	c.Server.tb.Helper()
	id := c.OwnEntry(name)
	admin.Verify(id, map[string]any{"isVerified": true})
	return id
}

// Verify verifies the version that the entry has now, with the input of verifyDoctor. An
// account to link shows its code.
func (c *Client) Verify(entry string, input map[string]any) Result {
	c.Server.tb.Helper()
	if account, ok := input["accountId"].(string); ok {
		input["linkCode"] = c.Server.LinkCode(model.ParseID(account).Num)
	}
	version := c.Must(`query ($id: ID!) { doctor(id: $id) { version } }`, map[string]any{"id": entry}).At("doctor", "version").Value
	return c.Must(`mutation ($id: ID!, $input: VerifyDoctorInput!, $version: Int!) {
		verifyDoctor(id: $id, input: $input, expectedVersion: $version) { doctor { version } userErrors { field code } } }`,
		map[string]any{"id": entry, "input": input, "version": version})
}

// LinkCode confirms the address of an account and returns a code to link it.
func (s *Server) LinkCode(account int64) string {
	s.tb.Helper()
	s.Exec("UPDATE users SET is_confirmed = TRUE WHERE id = $1", account)
	code, _, err := s.Store.CreateLinkCode(s.tb.Context(), &model.Viewer{UserID: account, Role: model.RoleDoctor})
	testutil.Must(s.tb, err)
	return code
}

// Mails waits for what follows the answers of before, sends the mails that are due, and
// returns them.
func (s *Server) Mails() []*store.Mail {
	s.tb.Helper()
	done := make(chan struct{})
	testutil.Must(s.tb, s.Accounts.Later.Add(func(context.Context) error { close(done); return nil }))
	<-done
	var mails []*store.Mail
	_, err := s.Store.DeliverMail(s.tb.Context(), func(_ context.Context, m *store.Mail) error {
		mails = append(mails, m)
		return nil
	})
	testutil.Must(s.tb, err)
	return mails
}

func (c *Client) createDoctor(input map[string]any) string {
	c.Server.tb.Helper()
	return c.Must(`mutation ($input: CreateDoctorInput!) {
		createDoctor(input: $input) { doctor { id } userErrors { field code message } } }`,
		map[string]any{"input": input}).Text("createDoctor", "doctor", "id")
}

// Assign assigns a doctor to a patient and returns the mapping's id.
func (c *Client) Assign(patient, doctor, notes string) string {
	c.Server.tb.Helper()
	return c.Must(`mutation ($input: AssignDoctorInput!) {
		assignDoctor(input: $input) { mapping { id } userErrors { field code message } } }`,
		map[string]any{"input": map[string]any{"patientId": patient, "doctorId": doctor, "notes": notes}},
	).Text("assignDoctor", "mapping", "id")
}

// Remove ends a mapping.
func (c *Client) Remove(mapping string) {
	c.Server.tb.Helper()
	c.Must(`mutation ($id: ID!) { removeMapping(id: $id) { userErrors { code } } }`, map[string]any{"id": mapping})
}

// Delete deletes a patient.
func (c *Client) Delete(patient string) {
	c.Server.tb.Helper()
	c.Must(`mutation ($id: ID!) { deletePatient(id: $id) { userErrors { code } } }`, map[string]any{"id": patient})
}

func emailOf(name string) string {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(name, ".", " ")))
	return strings.Join(words, ".") + "@mail.example"
}

// ID returns the id of the client's account.
func (c *Client) ID() string { return model.ID{Kind: model.KindUser, Num: c.UserID}.String() }

// In returns the client for a subtest, such as a run of a fuzz target.
func (c *Client) In(tb testing.TB) *Client {
	server, client := *c.Server, *c
	server.tb, client.Server = tb, &server
	return &client
}

// NewSession returns the same account in a new session.
func (c *Client) NewSession() *Client {
	c.Server.tb.Helper()
	return c.Session(fmt.Sprintf("session-%d-%d", c.UserID, time.Now().UnixNano()))
}

// Session returns the same account in a new session with the id.
func (c *Client) Session(session string) *Client {
	tb := c.Server.tb
	tb.Helper()
	pair, err := c.Server.Accounts.Tokens.Issue(c.UserID, session)
	testutil.Must(tb, err)
	_, err = c.Server.Store.CreateSession(tb.Context(), store.Session{
		ID: session, UserID: c.UserID, RefreshID: pair.RefreshJTI, ExpiresAt: pair.RefreshExpiresAt, HasOtp: true,
	}, c.Server.Row(`SELECT password_hash FROM users WHERE id = $1`, c.UserID))
	testutil.Must(tb, err)
	return &Client{Server: c.Server, UserID: c.UserID, Email: c.Email, Token: pair.Access, Refresh: pair.Refresh}
}

// Exec runs a statement without rules.
func (s *Server) Exec(statement string, args ...any) {
	s.tb.Helper()
	_, err := s.direct.Exec(s.tb.Context(), statement, args...)
	testutil.Must(s.tb, err)
}

// Row reads one text of one row without rules.
func (s *Server) Row(query string, args ...any) string {
	s.tb.Helper()
	var value string
	testutil.Must(s.tb, s.direct.QueryRow(s.tb.Context(), query, args...).Scan(&value))
	return value
}

// Clinic is a patient with accounts of every relation to it.
type Clinic struct {
	*Server

	// Rahul owns the patient and a doctor entry without a linked account.
	Rahul *Client
	// Priya is the assigned doctor: verified, with an active mapping.
	Priya *Client
	// Dev was assigned until his mapping ended.
	Dev *Client
	// Neha has an active mapping, but her entry is not verified.
	Neha *Client
	// Asha has no relation to any record.
	Asha *Client
	// Admin is the administrator.
	Admin *Client
	// Nemo has no token.
	Nemo *Client

	// Patient is Rahul's, named PatientName.
	Patient string
	// PriyasEntry and the others are doctor entries.
	PriyasEntry, DevsEntry, NehasEntry, RahulsEntry string
	// PriyasMapping and the others are the mappings of Patient.
	PriyasMapping, DevsMapping, NehasMapping string
	// PriyasEvent, PriyasNotice and PriyasSession are of Priya's account.
	PriyasEvent, PriyasNotice, PriyasSession string
}

// Member returns a new account with a place in Rahul's team.
func (c *Clinic) Member(name string, level model.GrantLevel) *Client {
	c.tb.Helper()
	member := c.Account(name, model.RolePatient)
	c.Exec(`INSERT INTO grants (kind, level, granter_id, account_id, accepted_at) VALUES ('TEAM', $1, $2, $3, now())`,
		level, c.Rahul.UserID, member.UserID)
	return member
}

// Claimant returns a new account that has claimed the patient's record.
func (c *Clinic) Claimant(name string) *Client {
	c.tb.Helper()
	patient := c.Account(name, model.RolePatient)
	c.Exec(`INSERT INTO grants (kind, level, patient_id, granter_id, account_id, accepted_at) VALUES ('SELF', 'CLINICAL', $1, $2, $3, now())`,
		model.ParseID(c.Patient).Num, c.Rahul.UserID, patient.UserID)
	return patient
}

// PatientName and Notes are texts of the clinic's patient and mappings.
const (
	PatientName = "Arjun Sharma"
	Notes       = "Regular check of the heart"
)

// NewClinic fills a new server.
func (s *Server) NewClinic() *Clinic {
	s.tb.Helper()
	c := &Clinic{
		Server: s,
		Rahul:  s.Account("Rahul", model.RolePatient),
		Priya:  s.Account("Priya", model.RoleDoctor),
		Dev:    s.Account("Dev", model.RoleDoctor),
		Neha:   s.Account("Neha", model.RoleDoctor),
		Asha:   s.Account("Asha", model.RolePatient),
		Admin:  s.Account("Admin", model.RoleAdmin),
		Nemo:   s.Nobody(),
	}
	c.Patient = c.Rahul.Patient(PatientName)
	c.RahulsEntry = c.Rahul.Entry("Dr. Old Friend")
	c.PriyasEntry = c.Priya.VerifiedDoctor(c.Admin, "Dr. Priya Patel")
	c.DevsEntry = c.Dev.VerifiedDoctor(c.Admin, "Dr. Dev Rao")
	c.NehasEntry = c.Neha.OwnEntry("Dr. Neha Iyer")
	c.DevsMapping = c.Rahul.Assign(c.Patient, c.DevsEntry, Notes)
	c.Rahul.Remove(c.DevsMapping)
	c.NehasMapping = c.Rahul.Assign(c.Patient, c.NehasEntry, Notes)
	c.PriyasMapping = c.Rahul.Assign(c.Patient, c.PriyasEntry, Notes)
	c.PriyasEvent = "evt_" + s.Row(`SELECT min(id)::text FROM security_events WHERE account_id = $1`, c.Priya.UserID)
	c.PriyasNotice = "ntc_" + s.Row(`INSERT INTO notices (kind, account_id, patient_id, by_id) VALUES ('RECORD_CLAIMED', $1, $2, $1) RETURNING id::text`,
		c.Priya.UserID, model.ParseID(c.Patient).Num)
	c.PriyasSession = "ses_" + s.Row(`SELECT id::text FROM live_sessions WHERE account_id = $1`, c.Priya.UserID)
	return c
}

// UserError is one entry of a payload's userErrors.
type UserError struct {
	Field   []string
	Code    string
	Message string
}

// UserErrors returns the userErrors of a root field of the answer.
func (a Answer) UserErrors(root string) []UserError {
	var data map[string]struct{ UserErrors []UserError }
	if err := json.Unmarshal([]byte(a.Body), &struct{ Data any }{&data}); err != nil {
		return nil
	}
	return data[root].UserErrors
}

// UserErrorCodes returns the userErrors of a root field as "input.name REQUIRED".
func (a Answer) UserErrorCodes(root string) []string {
	codes := []string{}
	for _, e := range a.UserErrors(root) {
		codes = append(codes, strings.TrimSpace(strings.Join(e.Field, ".")+" "+e.Code))
	}
	return codes
}

// Codes returns the errors of the answer as "patient.name FORBIDDEN_FIELD", sorted,
// because fields are resolved concurrently.
func (a Answer) Codes() []string {
	codes := []string{}
	for _, e := range a.Errors {
		extensions, _ := e["extensions"].(map[string]any)
		code, _ := extensions["code"].(string)
		codes = append(codes, strings.TrimSpace(pathText(e["path"])+" "+code))
	}
	slices.Sort(codes)
	return codes
}

// Redacted returns the paths of extensions.redacted, sorted.
func (a Answer) Redacted() []string {
	paths := []string{}
	list, _ := a.Extensions["redacted"].([]any)
	for _, path := range list {
		paths = append(paths, pathText(path))
	}
	slices.Sort(paths)
	return paths
}

func pathText(path any) string {
	steps, _ := path.([]any)
	texts := make([]string, len(steps))
	for i, step := range steps {
		texts[i] = fmt.Sprint(step)
	}
	return strings.Join(texts, ".")
}
