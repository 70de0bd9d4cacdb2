package model

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The longest texts, in characters.
const (
	maxName           = 100
	maxUsername       = 150
	maxLicense        = 50
	maxAvailability   = 200
	maxText           = 20_000
	maxSpecialization = 100
)

// text trims a text in place and checks its length; an empty one is a fault
// when it is required.
func (p *problems) text(field string, value *string, most int, required bool) {
	*value = strings.TrimSpace(*value)
	switch {
	case *value == "" && required:
		p.add(field, CodeRequired, "This field may not be blank.")
	case strings.ContainsRune(*value, 0):
		p.add(field, CodeInvalid, "Null characters are not allowed.")
	case !utf8.ValidString(*value):
		p.add(field, CodeInvalid, "Enter valid UTF-8 text.")
	case utf8.RuneCountInString(*value) > most:
		p.add(field, CodeTooLong, fmt.Sprintf("Ensure this field has no more than %d characters.", most))
	}
}

func (p *problems) optionalText(field string, value *string, most int) {
	if value != nil {
		p.text(field, value, most, false)
	}
}

func (p *problems) email(value *EmailAddress) {
	const field = "email"
	switch {
	case value == nil:
	case *value == "":
		p.add(field, CodeRequired, "This field may not be blank.")
	case len(*value) > maxEmail:
		p.add(field, CodeTooLong, fmt.Sprintf("Ensure this field has no more than %d characters.", maxEmail))
	case !value.Valid():
		p.add(field, CodeInvalid, "Enter a valid email address.")
	}
}

func (p *problems) phone(field string, value *PhoneNumber) {
	switch {
	case value == nil:
	case *value == "":
		p.add(field, CodeRequired, "This field may not be blank.")
	case !value.Valid():
		p.add(field, CodeInvalid, "Enter a valid phone number: ten digits beginning 6 to 9 for an Indian mobile, or +, country code and number.")
	}
}
