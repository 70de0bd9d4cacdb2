package main

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
)

// task is a workload on the floor: one prepared statement, and the answer that is
// made of its rows.
type task struct {
	pattern   string // of the address
	writes    bool
	sql       string
	arguments func(*http.Request) ([]any, error)
	write     func(*scratch, pgx.Rows) error
}

// tasks returns the task of each workload by its name.
func (o floorOptions) tasks() map[string]task {
	nested := nestedSorted
	if o.tuned {
		nested = nestedInOrder
	}
	return map[string]task{
		"W1": {
			pattern: "GET /W1/{id}", arguments: numbers("id"), write: (*scratch).writePatient,
			sql: `SELECT id, name, date_of_birth, gender, phone
				FROM patients WHERE id = $1 AND deleted_at IS NULL`,
		},
		"W2": {
			pattern: "GET /W2/{id}/{first}", arguments: numbers("id", "first"), write: (*scratch).writePatients,
			sql: nested("p.id, p.name, m.id, m.notes, m.assigned_at, d.name, d.specialization"),
		},
		"W3": {
			pattern: "GET /W3/{id}/{first}", arguments: numbers("id", "first"), write: (*scratch).writeWholePatients,
			sql: nested(patientColumns + ", " + mappingColumns + ", " + doctorColumns),
		},
		"W4": {
			pattern: "POST /W4/{id}", writes: true, arguments: newPatientArguments, write: (*scratch).writeCreated,
			sql: `INSERT INTO patients
				(name, date_of_birth, gender, phone, address, emergency_contact, created_by)
				VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, date_of_birth, gender, phone`,
		},
		keyedName: {
			pattern: "POST /" + keyedName + "/{id}/{key}", writes: true, arguments: keyedArguments, write: (*scratch).writeCreated,
			sql: `WITH made AS (INSERT INTO patients
					(name, date_of_birth, gender, phone, address, emergency_contact, created_by)
					VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, name, date_of_birth, gender, phone),
				fed AS (INSERT INTO change_feed (kind, id, patient) SELECT 'P', id, id FROM made),
				kept AS (INSERT INTO requests (account, key, hash, kind, result) SELECT $7, $8, $9, 'P', id FROM made)
				SELECT * FROM made`,
		},
		"W5": {
			pattern: "GET /W5/{id}/{first}", arguments: numbers("id", "first"), write: (*scratch).writeDoctor,
			sql: `SELECT d.name, m.name
				FROM doctors AS d LEFT JOIN LATERAL (
					SELECT p.name FROM mappings AS m JOIN patients AS p ON p.id = m.patient_id
					WHERE m.doctor_id = d.id AND m.is_active AND p.deleted_at IS NULL
					ORDER BY m.assigned_at DESC, m.id DESC LIMIT $2) AS m ON true
				WHERE d.id = $1`,
		},
	}
}

// numbers returns those of the path.
func numbers(names ...string) func(*http.Request) ([]any, error) {
	return func(r *http.Request) ([]any, error) {
		all := make([]any, len(names))
		for i, name := range names {
			n, err := number(r, name)
			if err != nil {
				return nil, err
			}
			all[i] = n
		}
		return all, nil
	}
}

const pageOfPatients = `(SELECT * FROM patients WHERE created_by = $1 AND deleted_at IS NULL
	ORDER BY created_at DESC, id DESC LIMIT $2)`

// nestedSorted is the flat form of patients with their mappings and doctors, in
// the order in which our server lists them.
func nestedSorted(columns string) string {
	return `SELECT ` + columns + `
		FROM ` + pageOfPatients + ` AS p
		LEFT JOIN mappings AS m ON m.patient_id = p.id AND m.is_active
		LEFT JOIN doctors AS d ON d.id = m.doctor_id
		ORDER BY p.created_at DESC, p.id DESC, m.assigned_at DESC, m.id DESC`
}

// nestedInOrder has the rows of nestedSorted, and no sort: indexes have the
// order of both levels, and nested loops keep it.
func nestedInOrder(columns string) string {
	return `SELECT ` + columns + `
		FROM ` + pageOfPatients + ` AS p
		LEFT JOIN LATERAL (SELECT * FROM mappings WHERE patient_id = p.id AND is_active
			ORDER BY assigned_at DESC, id DESC) AS m ON true
		LEFT JOIN doctors AS d ON d.id = m.doctor_id`
}

// writePatient writes the answer to W1.
func (s *scratch) writePatient(rows pgx.Rows) error {
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

// writePatients writes the answer to W2.
func (s *scratch) writePatients(rows pgx.Rows) error {
	p, m, d := &s.patient, &s.mapping, &s.doctor
	columns := []any{&p.id, &p.name, &m.id, &m.notes, &m.assignedAt, &d.name, &d.specialization}
	return s.writeNested(rows, columns, func(buf []byte) []byte {
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

// writeWholePatients writes the answer to W3.
func (s *scratch) writeWholePatients(rows pgx.Rows) error {
	return s.writeNested(rows, s.columns, s.patient.append, func(buf []byte) []byte {
		buf = append(s.mapping.append(buf), `,"doctor":`...)
		return append(s.doctor.append(buf), "}}"...)
	})
}

// writeNested joins the rows of W2 and W3: those of one patient follow each other.
func (s *scratch) writeNested(rows pgx.Rows, columns []any, patient, mapping func([]byte) []byte) error {
	var last int64
	s.buf = append(s.buf, `{"data":{"patients":{"nodes":[`...)
	_, err := pgx.ForEachRow(rows, columns, func() error {
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

func newPatientArguments(r *http.Request) ([]any, error) {
	owner, err := number(r, "id")
	if err != nil {
		return nil, err
	}
	var in newPatientInput
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	born, err := time.Parse(time.DateOnly, in.DateOfBirth)
	return []any{in.Name, born, in.Gender, in.Phone, in.Address, in.EmergencyContact, owner}, err
}

// keyedArguments are those of newPatientArguments with the key and a hash.
func keyedArguments(r *http.Request) ([]any, error) {
	arguments, err := newPatientArguments(r)
	key := r.PathValue("key")
	hash := sha256.Sum256([]byte(key))
	return append(arguments, key, hash[:]), err
}

// writeCreated writes the answer to W4.
func (s *scratch) writeCreated(rows pgx.Rows) error {
	p := &s.patient
	s.buf = append(s.buf, `{"data":{"createPatient":{"patient":`...)
	_, err := pgx.ForEachRow(rows, []any{&p.id, &p.name, &p.born, &p.gender, &p.phone}, func() error {
		s.appendShortPatient()
		return nil
	})
	s.buf = append(s.buf, `,"userErrors":[]}}}`...)
	return err
}

// writeDoctor writes the answer to W5.
func (s *scratch) writeDoctor(rows pgx.Rows) error {
	row := 0
	d, p := &s.doctor, &s.patient
	s.buf = append(s.buf, `{"data":{"doctor":`...)
	_, err := pgx.ForEachRow(rows, []any{&d.name, &p.name}, func() error {
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
