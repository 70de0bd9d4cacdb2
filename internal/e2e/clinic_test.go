package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// clinic is a server with a real SMTP server. It prints a transcript of what people do.
type clinic struct {
	*program

	smtp   *mailServer
	mailed int
}

// says sends an operation of a person, prints it with the answer, and returns the payload.
func (c *clinic) says(who, token, operation string, variables map[string]any) any {
	c.t.Helper()
	data := c.must(token, operation, variables)
	for _, payload := range data {
		c.t.Logf("%-8s %s\n         -> %v", who, strings.Join(strings.Fields(operation), " "), shortened(payload))
		if errors, _ := payload.(map[string]any)["userErrors"].([]any); len(errors) > 0 {
			c.t.Fatalf("%s: %v", operation, errors)
		}
		return payload
	}
	return nil
}

// shortened leaves secrets out of the transcript.
func shortened(payload any) string {
	return regexp.MustCompile(`eyJ[\w.-]+|code:[0-9A-Z-]{8,11}`).ReplaceAllString(fmt.Sprint(payload), "(secret)")
}

// joins registers an account and confirms its address with the code of the mail.
func (c *clinic) joins(name, role string) (token string) {
	c.t.Helper()
	token = at(c.t, c.must("", `mutation ($name: String!, $email: EmailAddress!, $role: Role!) {
		register(input: {username: $name, email: $email, password: "Secure@12345", role: $role}) { tokens { access } userErrors { code } } }`,
		map[string]any{"name": name, "email": name + "@clinic.example", "role": role}), "register", "tokens", "access").(string)
	code := regexp.MustCompile(`(?m)^(\d{6})\r?$`).FindStringSubmatch(c.mail("Confirm"))
	if code == nil {
		c.t.Fatal("the mail has no code")
	}
	c.says(name, token, `mutation ($code: String!) { confirmEmail(code: $code) { user { username isConfirmed } userErrors { code } } }`, map[string]any{"code": code[1]})
	return token
}

// mail returns the next mail, whose subject must begin so.
func (c *clinic) mail(subject string) string {
	c.t.Helper()
	c.mailed++
	texts, _ := c.smtp.mails(c.mailed)
	last := texts[len(texts)-1]
	if !strings.HasPrefix(last, subject) {
		c.t.Fatalf("the mail is %q, want %q", last, subject)
	}
	c.t.Logf("a mail   %s", strings.SplitN(last, "\n", 2)[0])
	return last
}

// TestClinic_IsManyPeople is one clinic from its first patient to a new owner.
func TestClinic_IsManyPeople(t *testing.T) {
	smtp := mailServerAt(t)
	t.Setenv("SSL_CERT_FILE", smtp.cert)
	smtp.start()
	c := &clinic{smtp: smtp, program: start(t, dataDir(t), "--mail", "smtp://desk:hunter2@"+smtp.smtp, "--mail-from", "CareGraph <desk@clinic.example>",
		"--public-url", "https://care.clinic.example")}
	admins := []string{c.admin("meera"), c.admin("vikram")}
	desk, nurse, doctor, patient := c.joins("desk", "PATIENT"), c.joins("nurse", "PATIENT"), c.joins("priya", "DOCTOR"), c.joins("arjun", "PATIENT")

	// The desk creates.
	id := at(t, c.says("desk", desk, `mutation { createPatient(input: {name: "Arjun Sharma", dateOfBirth: "1990-05-15", gender: MALE,
		phone: "9876543210", address: "MG Road", emergencyContact: "9876543211"}) { patient { id createdBy { username } } userErrors { code } } }`, nil), "patient", "id")

	// A colleague joins the team and edits.
	grant := at(t, c.says("desk", desk, `mutation { addTeamMember(input: {username: "nurse", level: FULL}) { grant { id level } userErrors { code } } }`, nil), "grant", "id")
	c.says("nurse", nurse, `mutation ($id: ID!) { acceptGrant(id: $id) { grant { acceptedAt } userErrors { code } } }`, map[string]any{"id": grant})
	c.says("nurse", nurse, `mutation ($id: ID!) { updatePatient(id: $id, input: {bloodGroup: B_POSITIVE, address: "Church Street"}) {
		patient { version viewer { relations } } userErrors { code } } }`, map[string]any{"id": id})

	// A doctor is confirmed, linked and treats.
	entry := at(t, c.says("priya", doctor, `mutation { createDoctor(input: {name: "Dr. Priya Patel", email: "priya@clinic.example", phone: "9876543212",
		specialization: "Cardiology", licenseNumber: "KMC-1", experienceYears: 9, address: "MG Road", consultationFee: "500", availability: "Mon-Fri"}) {
		doctor { id version } userErrors { code } } }`, nil), "doctor", "id")
	code := at(t, c.says("priya", doctor, `mutation { createLinkCode { code userErrors { code } } }`, nil), "code")
	account := at(t, c.must(doctor, `{ me { id } }`, nil), "me", "id")
	c.says("meera", admins[0], `mutation ($id: ID!, $account: ID!, $code: String!) { verifyDoctor(id: $id, expectedVersion: 1,
		input: {isVerified: true, accountId: $account, linkCode: $code}) { doctor { isVerified } userErrors { field code } } }`,
		map[string]any{"id": entry, "account": account, "code": code})
	c.says("nurse", nurse, `mutation ($patient: ID!, $doctor: ID!) { assignDoctor(input: {patientId: $patient, doctorId: $doctor}) {
		mapping { isActive } userErrors { code } } }`, map[string]any{"patient": id, "doctor": entry})
	c.says("priya", doctor, `mutation ($id: ID!) { updatePatient(id: $id, input: {medicalHistory: "Asthma"}) {
		patient { viewer { relations } } userErrors { code } } }`, map[string]any{"id": id})

	// The patient claims the record.
	claim := at(t, c.says("nurse", nurse, `mutation ($id: ID!) { createClaimCode(patientId: $id) { code userErrors { code } } }`, map[string]any{"id": id}), "code")
	c.says("arjun", patient, `mutation ($code: String!) { claimPatient(code: $code, name: "arjun sharma", dateOfBirth: "1990-05-15") {
		grant { kind patient { medicalHistory viewer { relations } } } userErrors { code } } }`, map[string]any{"code": claim})

	// A colleague leaves.
	c.says("nurse", nurse, `mutation ($id: ID!) { endGrant(id: $id, reason: "another clinic") { grant { endedAt } userErrors { code } } }`, map[string]any{"id": grant})
	if left := at(t, c.must(nurse, `{ patients { totalCount } }`, nil), "patients", "totalCount"); left != 0.0 {
		t.Errorf("the nurse still sees %v patients", left)
	}

	// An owner is disabled, and two administrators hand over the patients.
	owner := at(t, c.must(desk, `{ me { id } }`, nil), "me", "id")
	heir := at(t, c.must(nurse, `{ me { id } }`, nil), "me", "id")
	c.says("meera", admins[0], `mutation ($id: ID!) { disableAccount(id: $id, reason: "has left") { user { isActive } userErrors { code } } }`, map[string]any{"id": owner})
	transfer := at(t, c.says("meera", admins[0], `mutation ($from: ID!, $to: ID!) { transferPatients(input: {fromId: $from, toId: $to, reason: "the desk has left"}) {
		transfer { id needsApproval patientCount } userErrors { code } } }`, map[string]any{"from": owner, "to": heir}), "transfer", "id")
	c.says("vikram", admins[1], `mutation ($id: ID!) { acceptTransfer(id: $id) { transfer { approvedAt } userErrors { code } } }`, map[string]any{"id": transfer})
	c.says("nurse", nurse, `mutation ($id: ID!) { acceptTransfer(id: $id) { transfer { acceptedAt patientCount } userErrors { code } } }`, map[string]any{"id": transfer})
	for who, token := range map[string]string{"nurse": nurse, "priya": doctor, "arjun": patient} {
		if sees := at(t, c.must(token, `{ patients { totalCount } }`, nil), "patients", "totalCount"); sees != 1.0 {
			t.Errorf("%s sees %v patients after the transfer", who, sees)
		}
	}

	// A password is reset by mail.
	c.says("nobody", "", `mutation { requestPasswordReset(email: "nurse@clinic.example") { userErrors { code } } }`, nil)
	link := regexp.MustCompile(`#reset=(\S+)`).FindStringSubmatch(c.mail("Choose a new password"))
	if link == nil {
		t.Fatal("the mail has no link")
	}
	c.says("nurse", "", `mutation ($token: String!) { resetPassword(token: $token, newPassword: "Another@4567") { userErrors { code } } }`, map[string]any{"token": link[1]})
	c.says("nurse", "", `mutation { login(input: {email: "nurse@clinic.example", password: "Another@4567"}) { user { username } userErrors { code } } }`, nil)
}

// admin makes an administrator as an operator does, and signs it in.
func (p *program) admin(name string) (token string) {
	p.t.Helper()
	if _, failure := run(p.t, "Secure@12345\n", "admin", "create", "--email", name+"@clinic.example", "--data", p.data); failure != "" {
		p.t.Fatal(failure)
	}
	return at(p.t, p.must("", `mutation ($email: EmailAddress!) { login(input: {email: $email, password: "Secure@12345"}) { tokens { access } userErrors { code } } }`,
		map[string]any{"email": name + "@clinic.example"}), "login", "tokens", "access").(string)
}
