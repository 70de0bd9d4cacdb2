package main

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// nested is the flat form of patients with their mappings and doctors, in the
// order in which our server lists them.
func nested(columns string) string {
	return `SELECT ` + columns + `
		FROM (SELECT * FROM patients WHERE created_by = $1 AND deleted_at IS NULL
			ORDER BY created_at DESC, id DESC LIMIT $2) AS p
		LEFT JOIN mappings AS m ON m.patient_id = p.id AND m.is_active
		LEFT JOIN doctors AS d ON d.id = m.doctor_id
		ORDER BY p.created_at DESC, p.id DESC, m.assigned_at DESC, m.id DESC`
}

// floorQueries are SQL texts, built once. Each is one prepared statement.
type floorQueries struct{ list, whole string }

func newFloorQueries() floorQueries {
	return floorQueries{
		list:  nested("p.id, p.name, m.id, m.notes, m.assigned_at, d.name, d.specialization"),
		whole: nested(patientColumns + ", " + mappingColumns + ", " + doctorColumns),
	}
}

// W1.
func (f *floor) onePatient(r *http.Request, s *scratch) error {
	id, err := number(r, "id")
	if err != nil {
		return err
	}
	rows, _ := f.pool.Query(r.Context(), `SELECT id, name, date_of_birth, gender, phone
		FROM patients WHERE id = $1 AND deleted_at IS NULL`, id) // ForEachRow returns the error
	p := &s.patient
	s.buf = append(s.buf, `{"data":{"patient":`...)
	tag, err := pgx.ForEachRow(rows, []any{&p.id, &p.name, &p.born, &p.gender, &p.phone}, func() error {
		s.appendShortPatient()
		return nil
	})
	if tag.RowsAffected() == 0 {
		s.buf = append(s.buf, "null"...)
	}
	s.buf = append(s.buf, "}}"...)
	return err
}

func (s *scratch) appendShortPatient() {
	p := &s.patient
	s.buf = appendID(append(s.buf, `{"id":`...), "pat_", p.id)
	s.buf = appendText(append(s.buf, `,"name":`...), p.name)
	s.buf = appendDate(append(s.buf, `,"dateOfBirth":`...), p.born)
	s.buf = appendText(append(s.buf, `,"gender":`...), p.gender)
	s.buf = appendText(append(s.buf, `,"phone":`...), p.phone)
	s.buf = append(s.buf, '}')
}

// W2.
func (f *floor) patients(r *http.Request, s *scratch) error {
	p, m, d := &s.patient, &s.mapping, &s.doctor
	columns := []any{&p.id, &p.name, &m.id, &m.notes, &m.assignedAt, &d.name, &d.specialization}
	return f.nested(r, s, f.queries.list, columns, func(buf []byte) []byte {
		buf = appendID(append(buf, `{"id":`...), "pat_", p.id)
		return appendText(append(buf, `,"name":`...), p.name)
	}, func(buf []byte) []byte {
		buf = appendText(append(buf, `{"notes":`...), m.notes)
		buf = appendMaybeTime(append(buf, `,"assignedAt":`...), m.assignedAt)
		buf = appendText(append(buf, `,"doctor":{"name":`...), d.name)
		buf = appendText(append(buf, `,"specialization":`...), d.specialization)
		return append(buf, "}}"...)
	})
}

// W3.
func (f *floor) wholePatients(r *http.Request, s *scratch) error {
	return f.nested(r, s, f.queries.whole, s.columns, s.patient.append, func(buf []byte) []byte {
		buf = append(s.mapping.append(buf), `,"doctor":`...)
		return append(s.doctor.append(buf), "}}"...)
	})
}

// nested joins the rows of W2 and W3: those of one patient follow each other.
func (f *floor) nested(
	r *http.Request, s *scratch, query string, columns []any, patient, mapping func([]byte) []byte,
) error {
	owner, first, err := numbers(r)
	if err != nil {
		return err
	}
	rows, _ := f.pool.Query(r.Context(), query, owner, first) // ForEachRow returns the error
	var last int64
	s.buf = append(s.buf, `{"data":{"patients":{"nodes":[`...)
	_, err = pgx.ForEachRow(rows, columns, func() error {
		switch {
		case last == 0:
			s.buf = append(patient(s.buf), `,"mappings":{"nodes":[`...)
		case last != s.patient.id:
			s.buf = append(patient(append(s.buf, "]}},"...)), `,"mappings":{"nodes":[`...)
		default:
			s.buf = append(s.buf, ',')
		}
		last = s.patient.id
		if s.mapping.id.Valid {
			s.buf = mapping(s.buf)
		}
		return nil
	})
	if last != 0 {
		s.buf = append(s.buf, "]}}"...)
	}
	s.buf = append(s.buf, "]}}}"...)
	return err
}

// newPatientInput is the body of W4, named as in our schema.
type newPatientInput struct {
	Name, DateOfBirth, Gender, Phone, Address, EmergencyContact string
}

// W4.
func (f *floor) createPatient(r *http.Request, s *scratch) error {
	owner, err := number(r, "id")
	if err != nil {
		return err
	}
	var in newPatientInput
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return err
	}
	born, err := time.Parse(time.DateOnly, in.DateOfBirth)
	if err != nil {
		return err
	}
	rows, _ := f.pool.Query(r.Context(), `INSERT INTO patients
		(name, date_of_birth, gender, phone, address, emergency_contact, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, date_of_birth, gender, phone`,
		in.Name, born, in.Gender, in.Phone, in.Address, in.EmergencyContact, owner)
	p := &s.patient
	s.buf = append(s.buf, `{"data":{"createPatient":{"patient":`...)
	_, err = pgx.ForEachRow(rows, []any{&p.id, &p.name, &p.born, &p.gender, &p.phone}, func() error {
		s.appendShortPatient()
		return nil
	})
	s.buf = append(s.buf, `,"userErrors":[]}}}`...)
	return err
}

// W5.
func (f *floor) patientsOfDoctor(r *http.Request, s *scratch) error {
	doctor, first, err := numbers(r)
	if err != nil {
		return err
	}
	rows, _ := f.pool.Query(r.Context(), `SELECT d.name, m.name
		FROM doctors AS d LEFT JOIN LATERAL (
			SELECT p.name FROM mappings AS m JOIN patients AS p ON p.id = m.patient_id
			WHERE m.doctor_id = d.id AND m.is_active AND p.deleted_at IS NULL
			ORDER BY m.assigned_at DESC, m.id DESC LIMIT $2) AS m ON true
		WHERE d.id = $1`, doctor, first) // ForEachRow returns the error
	row := 0
	d, p := &s.doctor, &s.patient
	s.buf = append(s.buf, `{"data":{"doctor":`...)
	_, err = pgx.ForEachRow(rows, []any{&d.name, &p.name}, func() error {
		if row == 0 {
			s.buf = appendText(append(s.buf, `{"name":`...), d.name)
			s.buf = append(s.buf, `,"mappings":{"nodes":[`...)
		} else {
			s.buf = append(s.buf, ',')
		}
		row++
		if p.name != nil {
			s.buf = appendText(append(s.buf, `{"patient":{"name":`...), p.name)
			s.buf = append(s.buf, "}}"...)
		}
		return nil
	})
	if row == 0 {
		s.buf = append(s.buf, "null"...)
	} else {
		s.buf = append(s.buf, "]}}"...)
	}
	s.buf = append(s.buf, "}}"...)
	return err
}
