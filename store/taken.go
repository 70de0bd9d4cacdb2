package store

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/model"
)

// holder returns the record that has the value for which err refused another one, as the
// viewer sees it, and err. The record is nil if the viewer does not see it, or if err is
// about something else.
func holder[T any, P rowOf[T]](ctx context.Context, s *Store, v *model.Viewer, refused P, err error) (P, error) {
	apiErr, ok := errors.AsType[*model.Error](err)
	if !ok || len(apiErr.Fields) == 0 || apiErr.Code != model.CodeTaken && apiErr.Code != model.CodeAlreadyAssigned {
		return nil, err
	}
	condition, args := holds(refused, apiErr.Fields[0].Field)
	if condition == "" {
		return nil, err
	}
	found := P(new(T))
	lookErr := s.selectRow(s.db, found, v, model.DeletedInclude).Where(condition, args...).Limit(1).Scan(ctx)
	switch {
	case isNoRows(lookErr):
		return nil, err
	case lookErr != nil:
		return nil, s.translate(ctx, "find the record with the value", lookErr)
	default:
		return found, err
	}
}

// holds returns the condition of records that keep a unique field of a record from its
// value, "" for a field that has none.
func holds(record model.Record, field string) (condition string, args []any) {
	switch r := record.(type) {
	case *model.Patient:
		switch {
		case field == "email" && r.Email != nil:
			return "patient.deleted_at IS NULL AND patient.created_by = ? AND (patient.email = ? OR patient.email_key = ?)",
				[]any{r.CreatedBy, r.Email, r.Email.Key()}
		case field == "recordNumber" && r.RecordNumber != nil:
			return "patient.deleted_at IS NULL AND patient.created_by = ? AND lower(patient.record_number) = lower(?)",
				[]any{r.CreatedBy, r.RecordNumber}
		}
	case *model.Doctor:
		switch field {
		case "licenseNumber":
			_, verified := r.Identity()
			return `doctor.id <> ? AND (doctor.deleted_at IS NULL AND (doctor.license_number = ? OR doctor.license_key = ?)
				OR doctor.verified_license = ? AND (doctor.is_verified OR doctor.deleted_at IS NOT NULL))`,
				[]any{r.ID, r.LicenseNumber, model.LicenseKey(r.LicenseNumber), verified}
		case "account":
			return "doctor.deleted_at IS NULL AND doctor.account_id = ?", []any{r.AccountID}
		}
	case *model.Mapping:
		return "mapping.is_active AND mapping.patient_id = ? AND mapping.doctor_id = ?", []any{r.PatientID, r.DoctorID}
	}
	return "", nil
}
