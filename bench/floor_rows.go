package main

import (
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// The rows of W3. Each lists its columns next to its fields and writes them in
// the same order.

type patientRow struct {
	id, version                                                int64
	born, createdAt, updatedAt                                 time.Time
	name, gender, email, phone, address, emergency, blood, ill text
}

const patientColumns = `p.id, p.name, p.date_of_birth, p.gender, p.email, p.phone, p.address, p.emergency_contact,
	p.blood_group, p.medical_history, p.created_at, p.updated_at, p.version`

func (p *patientRow) columns() []any {
	return []any{
		&p.id, &p.name, &p.born, &p.gender, &p.email, &p.phone, &p.address, &p.emergency,
		&p.blood, &p.ill, &p.createdAt, &p.updatedAt, &p.version,
	}
}

// append writes everything except for the closing brace.
func (p *patientRow) append(buf []byte) []byte {
	buf = appendID(append(buf, `{"id":`...), "pat_", p.id)
	buf = appendText(append(buf, `,"name":`...), p.name)
	buf = appendDate(append(buf, `,"dateOfBirth":`...), p.born)
	buf = appendText(append(buf, `,"gender":`...), p.gender)
	buf = appendText(append(buf, `,"email":`...), p.email)
	buf = appendText(append(buf, `,"phone":`...), p.phone)
	buf = appendText(append(buf, `,"address":`...), p.address)
	buf = appendText(append(buf, `,"emergencyContact":`...), p.emergency)
	buf = appendText(append(buf, `,"bloodGroup":`...), p.blood)
	buf = appendText(append(buf, `,"medicalHistory":`...), p.ill)
	buf = appendTime(append(buf, `,"createdAt":`...), p.createdAt)
	buf = appendTime(append(buf, `,"updatedAt":`...), p.updatedAt)
	return strconv.AppendInt(append(buf, `,"version":`...), p.version, 10)
}

// mappingRow comes from an outer join, so it may be missing.
type mappingRow struct {
	id                               pgtype.Int8
	active                           pgtype.Bool
	assignedAt, createdAt, updatedAt pgtype.Timestamptz
	endedAt                          pgtype.Timestamptz
	notes                            text
}

const mappingColumns = "m.id, m.notes, m.is_active, m.assigned_at, m.ended_at, m.created_at, m.updated_at"

func (m *mappingRow) columns() []any {
	return []any{&m.id, &m.notes, &m.active, &m.assignedAt, &m.endedAt, &m.createdAt, &m.updatedAt}
}

func (m *mappingRow) append(buf []byte) []byte {
	buf = appendID(append(buf, `{"id":`...), "map_", m.id.Int64)
	buf = appendText(append(buf, `,"notes":`...), m.notes)
	buf = strconv.AppendBool(append(buf, `,"isActive":`...), m.active.Bool)
	buf = appendMaybeTime(append(buf, `,"assignedAt":`...), m.assignedAt)
	buf = appendMaybeTime(append(buf, `,"endedAt":`...), m.endedAt)
	buf = appendMaybeTime(append(buf, `,"createdAt":`...), m.createdAt)
	return appendMaybeTime(append(buf, `,"updatedAt":`...), m.updatedAt)
}

// doctorRow exists if its mapping does.
type doctorRow struct {
	id, experience, version                                       pgtype.Int8
	verified                                                      pgtype.Bool
	createdAt, updatedAt                                          pgtype.Timestamptz
	name, email, phone, specialization, license, address, fee, at text
}

const doctorColumns = `d.id, d.name, d.email, d.phone, d.specialization, d.license_number, d.experience_years, d.address,
	d.consultation_fee::text, d.availability, d.is_verified, d.created_at, d.updated_at, d.version`

func (d *doctorRow) columns() []any {
	return []any{
		&d.id, &d.name, &d.email, &d.phone, &d.specialization, &d.license, &d.experience, &d.address,
		&d.fee, &d.at, &d.verified, &d.createdAt, &d.updatedAt, &d.version,
	}
}

func (d *doctorRow) append(buf []byte) []byte {
	buf = appendID(append(buf, `{"id":`...), "doc_", d.id.Int64)
	buf = appendText(append(buf, `,"name":`...), d.name)
	buf = appendText(append(buf, `,"email":`...), d.email)
	buf = appendText(append(buf, `,"phone":`...), d.phone)
	buf = appendText(append(buf, `,"specialization":`...), d.specialization)
	buf = appendText(append(buf, `,"licenseNumber":`...), d.license)
	buf = strconv.AppendInt(append(buf, `,"experienceYears":`...), d.experience.Int64, 10)
	buf = appendText(append(buf, `,"address":`...), d.address)
	buf = appendText(append(buf, `,"consultationFee":`...), d.fee)
	buf = appendText(append(buf, `,"availability":`...), d.at)
	buf = strconv.AppendBool(append(buf, `,"isVerified":`...), d.verified.Bool)
	buf = appendMaybeTime(append(buf, `,"createdAt":`...), d.createdAt)
	buf = appendMaybeTime(append(buf, `,"updatedAt":`...), d.updatedAt)
	return strconv.AppendInt(append(buf, `,"version":`...), d.version.Int64, 10)
}
