package graph_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/caregraph/caregraph/model"
)

// The values below depend on the number of a record. Their lists have different lengths,
// so that there are many combinations.

// nth returns the value for the number of a record.
func nth[T any](n int, from ...T) T { return from[n%len(from)] }

// sometimes returns nil for one record of nilEvery.
func sometimes[T any](n, nilEvery int, value T) *T {
	if n%nilEvery == 0 {
		return nil
	}
	return &value
}

// text returns free text that is hard to encode.
func text(n int) string {
	return nth(n,
		"123 MG Road, Bangalore",
		`a "quoted" word, a back\slash and a slash/`,
		"lines\nof\r\ntext\twith tabs",
		"control \x01\x02\x07\b\f\x0b\x1b\x1f\x7f characters",
		"<script>alert('&amp;')</script>",
		"separators \u2028 and \u2029, a BOM \ufeff and \ufffd",
		"family 👨‍👩‍👧‍👦, flag 🇮🇳, \U0001D11E",
		"मधुमेह और उच्च रक्तचाप",
		strings.Repeat("long ", 900)+"é",
		`\u0041 \n %s $1 ?`,
		"",
	)
}

// personName returns names that differ in case or accents only, and names with special
// characters of a search or of JSON.
func personName(n int) string {
	return nth(n,
		"Arjun Sharma", "émile Zola", "Emile zola", "Ana Maria", "ANA MARIA", "Ångström", "Zoë", "अर्जुन शर्मा",
		"Liam O'Brien", `Quo "Q" Te`, `Back\slash`, "100% _under", "Ｗｉｄｅ ％", "<b>Bold</b> & Co", "😷 Mask",
		"separate\u2028d", "Arjun Sharma",
	)
}

func phone(n int) model.PhoneNumber {
	return nth[model.PhoneNumber](n, "+919876543210", "+14155550123", "+911123456789", "+442071234567", "+918765432109")
}

// birthDay returns the birth date of a patient. Two have a birthday today and tomorrow.
func (w *dataset) birthDay(n int) string {
	today := w.now.In(model.India).AddDate(-30, 0, 0)
	return nth(n, "1990-05-15", "1969-12-31", "1970-01-01", "1899-03-01", "2000-02-29", "2026-01-01", "1990-05-15",
		today.Format(time.DateOnly), today.AddDate(0, 0, 1).Format(time.DateOnly))
}

func bloodGroup(n int) model.BloodGroup {
	return nth(n, model.APositive, model.ANegative, model.BPositive, model.BNegative, model.ABPositive, model.ABNegative,
		model.OPositive, model.ONegative)
}

// patientsOwner returns the owner of a patient, for lists of several pages, lists of one
// page, and patients whose owner has another relation to them, too.
func patientsOwner(n int) int {
	switch {
	case n <= 24:
		return owner
	case n <= 32:
		return secondOwner
	case n <= 37:
		return assignedDoctor
	case n <= 39:
		return formerDoctor
	case n <= 41:
		return linkedDoctor
	case n <= 43:
		return administrator
	default:
		return deactivated
	}
}

const (
	patients = 46
	doctors  = 14
)

// isDeleted reports whether a patient was deleted.
func isDeleted(patient int) bool { return patient%8 == 0 }

func (w *dataset) patients() {
	for n := 1; n <= patients; n++ {
		createdAt := timeOf(n)
		w.Exec(`INSERT INTO patients (id, name, date_of_birth, gender, email, phone, address, emergency_contact, blood_group,
			medical_history, created_by, created_at, updated_at, version, deleted_at)
			VALUES ($1, $2, $3::text::date, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			n, personName(n), w.birthDay(n), nth(n, model.GenderMale, model.GenderFemale, model.GenderOther),
			sometimes(n, 4, fmt.Sprintf("patient%d@mail.example", n)), phone(n), text(n), phone(n+1),
			sometimes(n, 5, bloodGroup(n)), sometimes(n, 3, text(n/2)), patientsOwner(n),
			createdAt, createdAt.AddDate(0, 0, n%4), 1+n%4, after(createdAt, isDeleted(n), 20))
		w.size["pat"]++
	}
}

// mappings inserts up to five doctors of each patient, active and ended: some pairs
// several times, and some once.
func (w *dataset) mappings() {
	for n := 1; n <= patients; n++ {
		for i := range n%5 + 1 {
			w.mapping(n, (n*3+i*5)%doctors+1, false)
			if !isDeleted(n) && (n+i)%4 > 0 {
				w.mapping(n, (n*3+i*5)%doctors+1, true)
			}
		}
	}
	// Several relations at once: doctors assigned to their own patients.
	w.mapping(34, 1, true)
	w.mapping(38, 2, true)
}

// events inserts security events and notices of some accounts, in place of those of the
// sessions of this run. A list of accounts adds none: the second of two engines would
// answer with the event of the first.
func (w *dataset) events() {
	w.Exec("DELETE FROM security_events")
	w.Exec("CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
	w.Exec(`CREATE TRIGGER lists BEFORE INSERT ON security_events FOR EACH ROW
		WHEN (NEW.kind = 'ACCOUNTS_LISTED') EXECUTE FUNCTION leave_out()`)
	for n := 1; n <= 40; n++ {
		account, by := n%administrator+1, any(n%3+1)
		if n%4 == 0 {
			by = nil
		}
		w.Exec(`INSERT INTO security_events (id, at, kind, account_id, by_id, subject, client, address, reason, count)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, n, timeOf(n), []string{"SIGN_IN", "DOCTOR_VERIFIED", "ACCOUNT_DISABLED"}[n%3],
			account, by, sometimes(n, 3, "doc_1"), sometimes(n, 5, text(n)), sometimes(n, 7, "2001:db8::7"), sometimes(n, 4, text(n+1)), n%3+1)
		w.Exec(`INSERT INTO notices (id, at, kind, account_id, patient_id, by_id, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			n, timeOf(n), []string{"NEW_DEVICE", "RECORD_CLAIMED"}[n%2], account, n%patients+1, by, after(timeOf(n), n%3 == 0, 1))
		w.size["evt"]++
		w.size["ntc"]++
	}
}

// transfers inserts transfers between all accounts, in every state.
func (w *dataset) transfers() {
	for n := 1; n <= 30; n++ {
		from, to := n%administrator+1, (n*3+n/administrator+1)%administrator+1
		if from == to {
			to = to%administrator + 1
		}
		by := any(nth(n, from, administrator))
		if n%7 == 0 {
			by = nil
		}
		approved, accepted := after(timeOf(n), n%4 == 0, 1), after(timeOf(n), n%5 > 0, 2)
		w.Exec(`INSERT INTO transfers (id, from_id, to_id, sender, patient_count, reason, offered_by, created_at, expires_at, needs_approval, approved_by, approved_at, accepted_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (from_id, to_id) WHERE accepted_at IS NULL DO UPDATE SET id = $1`,
			n, from, to, personName(n), n%4, text(n), by, timeOf(n), timeOf(n).AddDate(0, 1, 0), n%2 == 1, sometimes(n, 4, administrator), approved, accepted)
		w.size["trf"]++
	}
}

// grants inserts places in teams, claims and offers, some of them ended or expired.
func (w *dataset) grants() {
	add := func(kind, level string, patient, granter, account int, state string) {
		w.size["grt"]++
		n := w.size["grt"]
		var of, code any
		if patient > 0 {
			of = patient
		}
		who := any(account)
		if account == 0 {
			who, code = nil, []byte{byte(n)}
		}
		w.Exec(`INSERT INTO grants (id, kind, level, patient_id, granter_id, account_id, code_hash, created_at, accepted_at, expires_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $9 <> 'offered' THEN $8::timestamptz END,
			CASE WHEN $9 = 'expired' THEN $8::timestamptz + interval '1 day' END, CASE WHEN $9 = 'ended' THEN now() END)`,
			n, kind, level, of, granter, who, code, timeOf(n), state)
	}
	first := map[int]int{} // of each owner
	for n := patients; n >= 1; n-- {
		if !isDeleted(n) {
			first[patientsOwner(n)] = n
		}
	}
	add("TEAM", "CLINICAL", 0, owner, clinicalMember, "accepted")
	add("TEAM", "FULL", 0, secondOwner, clinicalMember, "ended")
	add("TEAM", "DESK", 0, owner, deskMember, "accepted")
	add("TEAM", "SEE", 0, secondOwner, deskMember, "accepted")
	add("TEAM", "FULL", 0, secondOwner, stranger, "offered")
	add("TEAM", "FULL", 0, owner, stranger, "expired")
	add("TEAM", "SEE", 0, secondOwner, assignedDoctor, "accepted")
	add("SELF", "CLINICAL", first[owner], owner, claimant, "accepted")
	add("SELF", "CLINICAL", first[secondOwner], secondOwner, claimant, "ended")
	add("SELF", "CLINICAL", first[secondOwner], secondOwner, 0, "offered")
	for n := range 25 { // pages of grants that have ended
		add("TEAM", []string{"SEE", "DESK"}[n%2], 0, owner, 2+n%9, "ended")
	}
}

// sessions inserts sessions of all accounts, next to those of the viewers. Some have ended.
func (w *dataset) sessions() {
	for n := 1; n <= 40; n++ {
		w.Exec(`INSERT INTO sessions (id, user_id, refresh_id, created_at, expires_at, ended_at, client, address, last_seen_at)
			VALUES ($1, $2, 'none', $3, now() + interval '1 day', $4, $5, $6, $7)`,
			fmt.Sprintf("session %d", n), n%administrator+1, timeOf(n), after(timeOf(n), n%5 == 4, 1), sometimes(n, 3, text(n)), sometimes(n, 4, "2001:db8::7"),
			after(timeOf(n), n%2 == 0, 2))
		w.size["ses"]++
	}
}

func (w *dataset) mapping(patient, doctor int, active bool) {
	w.size["map"]++
	n := w.size["map"]
	createdAt := timeOf(n)
	w.Exec(`INSERT INTO mappings (id, patient_id, doctor_id, notes, is_active, assigned_at, ended_at, created_by, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6, $9)`,
		n, patient, doctor, sometimes(n, 4, text(n)), active, createdAt, after(createdAt, !active, 10), patientsOwner(patient),
		createdAt.AddDate(0, 0, n%3))
}
