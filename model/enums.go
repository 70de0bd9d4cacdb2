package model

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Role is the role of an account.
type Role string

// The roles. Only an operator creates an account with RoleAdmin.
const (
	RolePatient Role = "PATIENT"
	RoleDoctor  Role = "DOCTOR"
	RoleAdmin   Role = "ADMIN"
)

// Gender is a patient's administrative gender.
type Gender string

// The genders.
const (
	GenderMale   Gender = "MALE"
	GenderFemale Gender = "FEMALE"
	GenderOther  Gender = "OTHER"
)

// BloodGroup is an ABO group with the Rh factor.
type BloodGroup string

// The blood groups.
const (
	APositive  BloodGroup = "A_POSITIVE"
	ANegative  BloodGroup = "A_NEGATIVE"
	BPositive  BloodGroup = "B_POSITIVE"
	BNegative  BloodGroup = "B_NEGATIVE"
	ABPositive BloodGroup = "AB_POSITIVE"
	ABNegative BloodGroup = "AB_NEGATIVE"
	OPositive  BloodGroup = "O_POSITIVE"
	ONegative  BloodGroup = "O_NEGATIVE"
)

// DeletedFilter says which deleted records a list contains.
type DeletedFilter string

// The ways to treat deleted records.
const (
	DeletedExclude DeletedFilter = "EXCLUDE"
	DeletedInclude DeletedFilter = "INCLUDE"
	DeletedOnly    DeletedFilter = "ONLY"
)

// OrderDirection is the direction of an order.
type OrderDirection string

// The directions.
const (
	Ascending  OrderDirection = "ASC"
	Descending OrderDirection = "DESC"
)

// gqlgen calls the methods below.

func (e Role) MarshalGQL(w io.Writer)           { writeText(w, string(e)) }
func (e Gender) MarshalGQL(w io.Writer)         { writeText(w, string(e)) }
func (e BloodGroup) MarshalGQL(w io.Writer)     { writeText(w, string(e)) }
func (e PhoneFormat) MarshalGQL(w io.Writer)    { writeText(w, string(e)) }
func (e DeletedFilter) MarshalGQL(w io.Writer)  { writeText(w, string(e)) }
func (e OrderDirection) MarshalGQL(w io.Writer) { writeText(w, string(e)) }
func (e Audience) MarshalGQL(w io.Writer)       { writeText(w, string(e)) }
func (e Code) MarshalGQL(w io.Writer)           { writeText(w, string(e)) }

func (e *Role) UnmarshalGQL(v any) error {
	return readEnum(v, e, RolePatient, RoleDoctor, RoleAdmin)
}

func (e *Gender) UnmarshalGQL(v any) error {
	return readEnum(v, e, GenderMale, GenderFemale, GenderOther)
}

func (e *BloodGroup) UnmarshalGQL(v any) error {
	return readEnum(v, e, APositive, ANegative, BPositive, BNegative, ABPositive, ABNegative, OPositive, ONegative)
}

func (e *PhoneFormat) UnmarshalGQL(v any) error {
	return readEnum(v, e, PhoneE164, PhoneNational)
}

func (e *DeletedFilter) UnmarshalGQL(v any) error {
	return readEnum(v, e, DeletedExclude, DeletedInclude, DeletedOnly)
}

func (e *OrderDirection) UnmarshalGQL(v any) error {
	return readEnum(v, e, Ascending, Descending)
}

// UnmarshalGQL accepts any name. internal/policy checks audiences at start.
func (e *Audience) UnmarshalGQL(v any) error { return readName(v, e) }

// UnmarshalGQL exists for gqlgen. No input has a code.
func (e *Code) UnmarshalGQL(v any) error { return readName(v, e) }

func readName[E ~string](v any, into *E) error {
	text, ok := v.(string)
	if !ok {
		return NewError(CodeBadUserInput, "must be an enum value")
	}
	*into = E(text)
	return nil
}

func readEnum[E ~string](v any, into *E, values ...E) error {
	var e E
	if err := readName(v, &e); err != nil || !slices.Contains(values, e) {
		return NewError(CodeBadUserInput, fmt.Sprintf("must be one of %v", values))
	}
	*into = e
	return nil
}

// writeText writes a text that needs no escapes as a JSON string.
func writeText(w io.Writer, text string) {
	_, _ = io.WriteString(w, strconv.Quote(text))
}
