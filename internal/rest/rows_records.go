package rest

import "net/http"

// The records as their addresses answer them. A mapping holds its patient and
// its doctor whole.
const (
	patientKeys = `id name email phone(format: NATIONAL) date_of_birth: dateOfBirth address gender blood_group: bloodGroup
		emergency_contact: emergencyContact(format: NATIONAL) medical_history: medicalHistory
		created_by: createdBy { email } created_at: createdAt updated_at: updatedAt`
	doctorKeys = `id name email phone(format: NATIONAL) specialization license_number: licenseNumber
		experience_years: experienceYears address consultation_fee: consultationFee availability
		created_at: createdAt updated_at: updatedAt`
	mappingKeys = `id patient: patient { id } doctor: doctor { id }
		patient_details: patient { ` + patientKeys + ` } doctor_details: doctor { ` + doctorKeys + ` }
		notes is_active: isActive assigned_date: assignedAt
		created_by: createdBy { email } created_at: createdAt updated_at: updatedAt`

	faultKeys = ` userErrors { field code message }`
	pageKeys  = ` pageInfo { hasNextPage endCursor }`
)

func patientRows() []row {
	const (
		list, one = "/api/patients/", "/api/patients/{id}/"
		record    = ` patient { etag: version ` + patientKeys + ` }` + faultKeys
		update    = `mutation UpdatePatient($id: ID!, $input: UpdatePatientInput!, $expectedVersion: Int) @redact {
			updatePatient(id: $id, input: $input, expectedVersion: $expectedVersion) {` + record + ` } }`
	)
	fields := []field{
		{name: "name"},
		{name: "email"},
		{name: "phone"},
		{name: "date_of_birth", input: "dateOfBirth"},
		{name: "address"},
		{name: "gender"},
		{name: "blood_group", input: "bloodGroup", optional: true, emptyIsNull: true},
		{name: "emergency_contact", input: "emergencyContact"},
		{name: "medical_history", input: "medicalHistory", optional: true, blank: true},
	}
	return []row{
		{
			method: http.MethodGet, path: list, status: http.StatusOK,
			summary: "List all patients that the caller can see",
			document: `query Patients($first: Int = 100, $after: String) @redact { patients(first: $first, after: $after) {
				nodes { ` + patientKeys + ` }` + pageKeys + ` } }`,
		},
		{
			method: http.MethodPost, path: list, status: http.StatusCreated,
			summary:  "Create a patient",
			document: `mutation CreatePatient($input: CreatePatientInput!) @redact { createPatient(input: $input) {` + record + ` } }`,
			fields:   fields, located: true, validates: true,
		},
		{
			method: http.MethodGet, path: one, status: http.StatusOK,
			summary:  "Show one patient",
			document: `query Patient($id: ID!) @redact { patient(id: $id) { etag: version ` + patientKeys + ` } }`,
		},
		{
			method: http.MethodPut, path: one, status: http.StatusOK,
			summary:  "Change all fields of a patient",
			document: update, fields: fields, validates: true,
		},
		{
			method: http.MethodPatch, path: one, status: http.StatusOK,
			summary:  "Change some fields of a patient",
			document: update, fields: fields, partial: true, validates: true,
		},
		{
			method: http.MethodDelete, path: one, status: http.StatusNoContent,
			summary: "Delete a patient",
			document: `mutation DeletePatient($id: ID!, $expectedVersion: Int) {
				deletePatient(id: $id, expectedVersion: $expectedVersion) { patient { etag: version }` + faultKeys + ` } }`,
		},
		{
			method: http.MethodGet, path: "/api/patients/{id}/mappings/", status: http.StatusOK,
			summary:  "List the active mappings of a patient",
			document: mappingsOfPatient,
		},
	}
}

func doctorRows() []row {
	const (
		list, one = "/api/doctors/", "/api/doctors/{id}/"
		record    = ` doctor { etag: version ` + doctorKeys + ` }` + faultKeys
		update    = `mutation UpdateDoctor($id: ID!, $input: UpdateDoctorInput!, $expectedVersion: Int) @redact {
			updateDoctor(id: $id, input: $input, expectedVersion: $expectedVersion) {` + record + ` } }`
	)
	fields := []field{
		{name: "name"},
		{name: "email"},
		{name: "phone"},
		{name: "specialization"},
		{name: "license_number", input: "licenseNumber"},
		{name: "experience_years", input: "experienceYears"},
		{name: "address"},
		{name: "consultation_fee", input: "consultationFee"},
		{name: "availability"},
	}
	return []row{
		{
			method: http.MethodGet, path: list, status: http.StatusOK,
			summary: "List all doctor entries",
			document: `query Doctors($first: Int = 100, $after: String) @redact { doctors(first: $first, after: $after) {
				nodes { ` + doctorKeys + ` }` + pageKeys + ` } }`,
		},
		{
			method: http.MethodPost, path: list, status: http.StatusCreated,
			summary:  "Create a doctor entry",
			document: `mutation CreateDoctor($input: CreateDoctorInput!) @redact { createDoctor(input: $input) {` + record + ` } }`,
			fields:   fields, located: true, validates: true,
		},
		{
			method: http.MethodGet, path: one, status: http.StatusOK,
			summary:  "Show one doctor entry",
			document: `query Doctor($id: ID!) @redact { doctor(id: $id) { etag: version ` + doctorKeys + ` } }`,
		},
		{
			method: http.MethodPut, path: one, status: http.StatusOK,
			summary:  "Change all fields of a doctor entry",
			document: update, fields: fields, validates: true,
		},
		{
			method: http.MethodPatch, path: one, status: http.StatusOK,
			summary:  "Change some fields of a doctor entry",
			document: update, fields: fields, partial: true, validates: true,
		},
		{
			method: http.MethodDelete, path: one, status: http.StatusNoContent,
			summary: "Delete a doctor entry",
			document: `mutation DeleteDoctor($id: ID!, $expectedVersion: Int) {
				deleteDoctor(id: $id, expectedVersion: $expectedVersion) { doctor { etag: version }` + faultKeys + ` } }`,
		},
	}
}

// mappingsOfPatient answers GET with the mappings of a patient, under two
// addresses: clients of the older one give a patient's id, too.
const mappingsOfPatient = `query PatientMappings($id: ID!, $first: Int = 100, $after: String) @redact { patient(id: $id) {
	mappings(first: $first, after: $after) { nodes { ` + mappingKeys + ` }` + pageKeys + ` } } }`

// mappingRows has no Location for a new mapping: below the path, GET takes the
// id of a patient.
func mappingRows() []row {
	const list, one = "/api/mappings/", "/api/mappings/{id}/"
	return []row{
		{
			method: http.MethodGet, path: list, status: http.StatusOK,
			summary: "List the active mappings of all patients that the caller can see",
			document: `query Mappings($first: Int = 100, $after: String) @redact { mappings(first: $first, after: $after) {
				nodes { ` + mappingKeys + ` }` + pageKeys + ` } }`,
		},
		{
			method: http.MethodPost, path: list, status: http.StatusCreated,
			summary: "Assign a doctor to a patient",
			document: `mutation AssignDoctor($input: AssignDoctorInput!) @redact { assignDoctor(input: $input) {
				mapping { ` + mappingKeys + ` }` + faultKeys + ` } }`,
			fields: []field{
				{name: "patient", input: "patientId"},
				{name: "doctor", input: "doctorId"},
				{name: "notes", optional: true, blank: true},
			},
			validates: true,
		},
		{method: http.MethodGet, path: one, status: http.StatusOK, summary: "List the active mappings of the patient with this id", document: mappingsOfPatient},
		{
			method: http.MethodDelete, path: one, status: http.StatusNoContent,
			summary:  "Remove a mapping: end the assignment",
			document: `mutation RemoveMapping($id: ID!) { removeMapping(id: $id) {` + faultKeys + ` } }`,
		},
	}
}
