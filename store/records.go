package store

import (
	"reflect"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// records describes each record type once, for both engines. Only a list with a
// source of its own (query.Own) needs the store; otherwise it may be nil.
func records(s *Store) []query.RecordType {
	createdBy := query.Edge{Field: "createdBy", To: "User", From: "created_by", Key: "id"}
	return []query.RecordType{{
		Name: "User", Kind: model.KindUser, Model: reflect.TypeFor[model.User](), Table: "users", Alias: `"user"`,
		Rules: userRules,
		Root:  &query.Root{Field: "accounts", Filter: filterAccounts, Event: model.EventAccountsListed},
		One:   []query.Edge{{Field: "doctorProfile", To: "Doctor", From: "id", Key: "account_id"}},
		Many: []query.List{
			{Field: "securityEvents", Of: "SecurityEvent", Key: "account_id"},
			{Field: "notices", Of: "Notice", Key: "account_id", Where: whereUnread},
			{Field: "transfers", Of: "Transfer", Key: "to_id"},
			{Field: "offeredTransfers", Of: "Transfer", Key: "from_id"},
			{Field: "sessions", Of: "Session", Key: "account_id"},
			{Field: "grantsGiven", Of: "Grant", Key: "granter_id", Where: whereGrant},
			{Field: "grantsReceived", Of: "Grant", Key: "account_id", Where: whereGrant},
		},
		Sorts:    []query.Sort{{Field: "username", Column: "username", By: usernameOrder, Key: model.KeyText}},
		Searched: []string{"username", "email", "phone"},
		SearchIn: accountSearch,
		Keys: []query.TextKey{
			{Column: "search_fold", From: []string{"username", "email", "phone"}, Of: model.FoldKey},
			{Column: "username_key", From: []string{"username"}, Of: usernameKey, Index: "users_username_form_key"},
			{Column: "email_key", From: []string{"email"}, Of: emailKey, Index: "users_email_form_key"},
		},
		Unique: []query.Unique{
			{Index: "users_username_key", Field: "username", Code: model.CodeTaken, Message: "A user with that username already exists."},
			{Index: "users_username_form_key", Field: "username", Code: model.CodeTaken, Message: "A user with that username already exists."},
			{Index: "users_email_key", Field: "email", Code: model.CodeTaken, Message: "user with this email already exists."},
			{Index: "users_email_form_key", Field: "email", Code: model.CodeTaken, Message: "user with this email already exists."},
			{Index: "users_phone_key", Field: "phone", Code: model.CodeTaken, Message: "user with this phone already exists."},
		},
	}, {
		Name: "Patient", Kind: model.KindPatient, Model: reflect.TypeFor[model.Patient](), Table: "patients", Alias: "patient",
		Live: "patient.deleted_at IS NULL", Rules: patientRules, EndedBy: "deletedAt",
		One: []query.Edge{createdBy},
		Many: []query.List{
			{Field: "mappings", Of: "Mapping", Key: "patient_id", Where: whereIsActive},
			{Field: "doctors", Of: "Mapping", Key: "patient_id", Node: "doctor", ByNode: true, Entry: "patientDoctorEdge", Where: whereActive},
		},
		Own:  []query.Own{{Field: "grants", Read: s.grantsOf}},
		Root: &query.Root{Field: "patients", Entry: "patientEdge", Filter: filterPatients},
		Feed: &query.Feed{Kind: model.ChangedPatient, Type: model.ChangesOfPatients, Rows: "c.patient IS NOT NULL", ID: "c.patient", Most: true},
		Sorts: []query.Sort{
			{Enum: "CREATED_AT", Field: "createdAt", Column: "created_at", Key: model.KeyTime, Descending: true},
			{Enum: "UPDATED_AT", Field: "updatedAt", Column: "updated_at", Key: model.KeyTime, Descending: true},
			{Enum: "NAME", Field: "name", Column: "name_key", By: patientNameFold, Key: model.KeyText},
			{Enum: "DATE_OF_BIRTH", Field: "dateOfBirth", Column: "date_of_birth", Key: model.KeyDate},
		},
		Searched: []string{"name", "email", "phone", "recordNumber"},
		SearchIn: "coalesce(patient.search_fold, patient.search_text)",
		Keys: []query.TextKey{
			{Column: "name_fold", From: []string{"name"}, Of: model.FoldKey},
			{Column: "search_fold", From: []string{"name", "email", "phone", "record_number"}, Of: patientSearchKey},
			{Column: "email_key", From: []string{"email"}, Of: emailKey, Index: "patients_email_form_key", Within: "created_by"},
		},
		Unique: []query.Unique{
			{Index: "patients_email_key", Field: "email", Code: model.CodeTaken, Message: "patient with this email already exists."},
			{Index: "patients_email_form_key", Field: "email", Code: model.CodeTaken, Message: "patient with this email already exists."},
			{Index: "patients_record_number_key", Field: "recordNumber", Code: model.CodeTaken, Message: "Another patient has this record number."},
		},
	}, {
		Name: "Doctor", Kind: model.KindDoctor, Model: reflect.TypeFor[model.Doctor](), Table: "doctors", Alias: "doctor",
		Live: "doctor.deleted_at IS NULL", Rules: doctorRules, EndedBy: "deletedAt",
		One: []query.Edge{createdBy, {Field: "account", To: "User", From: "account_id", Key: "id"}},
		Many: []query.List{
			{Field: "mappings", Of: "Mapping", Key: "doctor_id", Where: whereIsActive, OwnRows: isActive},
			{Field: "patients", Of: "Mapping", Key: "doctor_id", Node: "patient", ByNode: true, Entry: "doctorPatientEdge", Where: whereActive, OwnRows: always},
		},
		Root: &query.Root{Field: "doctors", Entry: "doctorEdge", Filter: filterDoctors},
		Feed: &query.Feed{Kind: model.ChangedDoctor, Type: model.ChangesOfDoctors, Rows: "c.kind = 'D'", ID: "c.id"},
		Groups: []query.Group{
			{Field: "specializations", Value: "specialization", By: specializationFold, Name: "name", Count: "doctorCount"},
		},
		Sorts: []query.Sort{
			{Enum: "NAME", Field: "name", Column: "name_key", By: doctorNameFold, Key: model.KeyText},
			{Enum: "EXPERIENCE_YEARS", Field: "experienceYears", Column: "experience_years", Key: model.KeyInt},
			{Enum: "CONSULTATION_FEE", Field: "consultationFee", Column: "consultation_fee", Key: model.KeyNumeric},
			{Enum: "CREATED_AT", Field: "createdAt", Column: "created_at", Key: model.KeyTime},
			{Enum: "UPDATED_AT", Field: "updatedAt", Column: "updated_at", Key: model.KeyTime},
		},
		Searched: []string{"name", "specialization", "licenseNumber"},
		SearchIn: "coalesce(doctor.search_fold, doctor.search_text)",
		Keys: []query.TextKey{
			{Column: "name_fold", From: []string{"name"}, Of: model.FoldKey},
			{Column: "specialization_fold", From: []string{"specialization"}, Of: model.FoldKey},
			{Column: "search_fold", From: []string{"name", "specialization", "license_number"}, Of: model.FoldKey},
			{Column: "license_key", From: []string{"license_number"}, Of: licenseKey, Index: "doctors_license_form_key"},
		},
		Unique: []query.Unique{
			{Index: "doctors_license_key", Field: "licenseNumber", Code: model.CodeTaken, Message: licenseTaken},
			{Index: "doctors_license_form_key", Field: "licenseNumber", Code: model.CodeTaken, Message: licenseTaken},
			{Index: "doctors_verified_key", Field: "licenseNumber", Code: model.CodeTaken, Message: "Another verified doctor entry has this license number."},
			{Index: "doctors_account_key", Field: "account", Code: model.CodeTaken, Message: "This account already has a doctor entry."},
		},
	}, {
		Name: "Mapping", Kind: model.KindMapping, Model: reflect.TypeFor[model.Mapping](), Table: "mappings", Alias: "mapping",
		Parent: &query.Parent{Type: "Patient", Column: "patient_id"}, Rules: mappingRules, EndedBy: "isActive",
		One: []query.Edge{
			createdBy,
			{Field: "patient", To: "Patient", From: "patient_id", Key: "id"},
			{Field: "doctor", To: "Doctor", From: "doctor_id", Key: "id", IncludeDeleted: true},
		},
		Root: &query.Root{Field: "mappings", Filter: filterMappings},
		Sorts: []query.Sort{
			{Enum: "ASSIGNED_AT", Field: "assignedAt", Column: "assigned_at", Key: model.KeyTime, Descending: true},
			{Enum: "UPDATED_AT", Field: "updatedAt", Column: "updated_at", Key: model.KeyTime, Descending: true},
		},
		Unique: []query.Unique{
			{Index: "mappings_active_pair_key", Field: "doctorId", Code: model.CodeAlreadyAssigned, Message: "This doctor is already assigned to this patient."},
		},
	}, {
		Name: "SecurityEvent", Kind: model.KindSecurityEvent, Model: reflect.TypeFor[model.SecurityEvent](), Table: "security_events", Alias: "security_event",
		Parent: &query.Parent{Type: "User", Column: "account_id"},
		One:    []query.Edge{{Field: "by", To: "User", From: "by_id", Key: "id"}},
		Sorts:  []query.Sort{{Field: "at", Column: "at", Key: model.KeyTime, Descending: true}},
	}, {
		Name: "Notice", Kind: model.KindNotice, Model: reflect.TypeFor[model.Notice](), Table: "notices", Alias: "notice",
		Parent: &query.Parent{Type: "User", Column: "account_id"},
		One: []query.Edge{
			{Field: "patient", To: "Patient", From: "patient_id", Key: "id"},
			{Field: "by", To: "User", From: "by_id", Key: "id"},
		},
		Sorts: []query.Sort{{Field: "at", Column: "at", Key: model.KeyTime, Descending: true}},
	}, {
		Name: "Transfer", Kind: model.KindTransfer, Model: reflect.TypeFor[model.Transfer](), Table: "transfers", Alias: "transfer",
		Rules: transferRules,
		One: []query.Edge{
			{Field: "from", To: "User", From: "from_id", Key: "id"},
			{Field: "to", To: "User", From: "to_id", Key: "id"},
			{Field: "offeredBy", To: "User", From: "offered_by", Key: "id"},
			{Field: "approvedBy", To: "User", From: "approved_by", Key: "id"},
		},
		Sorts: []query.Sort{{Field: "createdAt", Column: "created_at", Key: model.KeyTime, Descending: true}},
	}, {
		Name: "Grant", Kind: model.KindGrant, Model: reflect.TypeFor[model.Grant](), Table: "grants", Alias: `"grant"`,
		Rules: grantRules,
		One: []query.Edge{
			{Field: "patient", To: "Patient", From: "patient_id", Key: "id"},
			{Field: "grantedBy", To: "User", From: "granter_id", Key: "id"},
			{Field: "account", To: "User", From: "account_id", Key: "id"},
		},
		Root:  &query.Root{Field: "grants", Filter: filterGrants},
		Sorts: []query.Sort{{Field: "createdAt", Column: "created_at", Key: model.KeyTime, Descending: true}},
		Unique: []query.Unique{
			{Index: "grants_team_key", Field: "username", Code: model.CodeTaken, Message: "This account already has a place in the team, or was offered one."},
		},
	}, {
		Name: "Session", Kind: model.KindSession, Model: reflect.TypeFor[model.LiveSession](), Table: "live_sessions", Alias: "live_session",
		Parent: &query.Parent{Type: "User", Column: "account_id"},
		Sorts:  []query.Sort{{Field: "createdAt", Column: "created_at", Key: model.KeyTime, Descending: true}},
	}}
}

const licenseTaken = "doctor with this license number already exists."

func isActive(args query.Args) bool {
	active := query.Arg[bool](args, "isActive")
	return active != nil && *active
}

func always(query.Args) bool { return true }

func whereActive(query.Args) []query.Condition {
	return []query.Condition{query.Where("mapping.is_active")}
}

// whereIsActive reads the argument isActive. Null means active and ended mappings.
func whereIsActive(args query.Args) []query.Condition {
	return mappingIsActive(query.Arg[bool](args, "isActive"))
}
