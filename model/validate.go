package model

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// validator checks the fields of one record against their constraints and collects
// all errors. Every text of a field without @text is too long.
type validator struct {
	fieldErrors

	constraints Constraints
}

// text trims a text in place and checks it. A nil text is valid.
func (e *validator) text(field string, value *string) {
	if value == nil {
		return
	}
	*value = strings.TrimSpace(*value)
	limit := e.constraints[field]
	switch {
	case limit.Required && isBlank(*value):
		e.add(field, CodeRequired, "This field may not be blank.")
	case strings.ContainsRune(*value, 0):
		e.add(field, CodeInvalid, "Null characters are not allowed.")
	case !utf8.ValidString(*value):
		e.add(field, CodeInvalid, "Enter valid UTF-8 text.")
	case utf8.RuneCountInString(*value) > limit.Max:
		e.tooLong(field, limit.Max)
	}
}

// name is text for a field whose value lists show: overrides of the direction of
// writing are not allowed.
func (e *validator) name(field string, value *string) {
	before := len(e.fieldErrors)
	if e.text(field, value); len(e.fieldErrors) == before && strings.ContainsFunc(*value, isOverride) {
		e.add(field, CodeInvalid, "Characters that override the direction of writing are not allowed.")
	}
}

func (e *validator) tooLong(field string, most int) {
	e.add(field, CodeTooLong, fmt.Sprintf("Ensure this field has no more than %d characters.", most), IntParam("max", most))
}

// MaxReason is the number of characters of a reason that someone gives for an act.
const MaxReason = 1000

// ValidateReason trims a reason in place. It returns TOO_LONG or INVALID, and REQUIRED for a
// blank one that is required.
func ValidateReason(field string, reason *string, required bool) error {
	e := validator{constraints: Constraints{field: {Max: MaxReason, Required: required}}}
	e.text(field, reason)
	if required && reason == nil {
		e.add(field, CodeRequired, "Say why.")
	}
	return e.err()
}

func (e *validator) email(value *EmailAddress) {
	const field = "email"
	switch {
	case value == nil:
	case isBlank(string(*value)):
		e.add(field, CodeRequired, "This field may not be blank.")
	case len(*value) > e.constraints[field].Max:
		e.tooLong(field, e.constraints[field].Max)
	case !value.Valid():
		e.add(field, CodeInvalid, "Enter a valid email address.")
	}
}

func (e *validator) phone(field string, value *PhoneNumber) {
	switch {
	case value == nil:
	case isBlank(string(*value)):
		e.add(field, CodeRequired, "This field may not be blank.")
	case !value.Valid():
		e.add(field, CodeInvalid, "Enter a valid phone number: ten digits beginning 6 to 9 for an Indian mobile, or +, country code and number.")
	}
}
