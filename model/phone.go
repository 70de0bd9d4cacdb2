package model

import (
	"io"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// PhoneNumber is in E.164 (+919876543210). An invalid text is kept unchanged.
type PhoneNumber string

// PhoneFormat is a notation for phone numbers.
type PhoneFormat string

// The formats. PhoneNational is ten digits for Indian numbers and E.164 for others.
const (
	PhoneE164     PhoneFormat = "E164"
	PhoneNational PhoneFormat = "NATIONAL"
)

const (
	indiaCode    = "+91"
	indiaDigits  = 10
	maxPhoneText = 32
)

// ParsePhone reads the notations used in India (9876543210, 09876543210,
// +91 98765 43210, 098765-43210) and any number with its country code.
func ParsePhone(text string) PhoneNumber {
	text = strings.TrimSpace(text)
	if number, ok := parsePhone(text); ok {
		return number
	}
	return PhoneNumber(text)
}

func parsePhone(text string) (PhoneNumber, bool) {
	if mobile, ok := indianMobile(text); ok {
		return mobile, true
	}
	if len(text) > maxPhoneText || strings.Trim(text, "+0123456789 -().") != "" {
		return "", false
	}
	number, err := phonenumbers.Parse(text, "IN")
	if err != nil || !phonenumbers.IsPossibleNumber(number) {
		return "", false
	}
	parsed := PhoneNumber(phonenumbers.Format(number, phonenumbers.E164))
	digits, indian := parsed.indian()
	return parsed, !indian || plausibleInIndia(digits, number)
}

// indianMobile reads ten digits that begin with 6 to 9, alone or after +91. Nearly
// all numbers are such. It costs a hundredth of the library, with the same result.
func indianMobile(text string) (PhoneNumber, bool) {
	digits := strings.TrimPrefix(text, indiaCode)
	if len(digits) != indiaDigits || digits[0] < '6' || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return PhoneNumber(indiaCode + digits), true
}

// plausibleInIndia reports whether the digits are a mobile number, ten digits that
// begin with 6 to 9, or a landline in the numbering plan.
func plausibleInIndia(digits string, number *phonenumbers.PhoneNumber) bool {
	return len(digits) == indiaDigits && (digits[0] >= '6' || phonenumbers.IsValidNumber(number))
}

func (p PhoneNumber) indian() (digits string, ok bool) {
	return strings.CutPrefix(string(p), indiaCode)
}

// Valid reports whether the number is possible and in E.164.
func (p PhoneNumber) Valid() bool {
	parsed, ok := parsePhone(string(p))
	return ok && parsed == p
}

// Format returns the number in a format.
func (p PhoneNumber) Format(format PhoneFormat) string {
	if digits, ok := p.indian(); ok && format == PhoneNational {
		return digits
	}
	return string(p)
}

// MarshalGQL writes the number in E.164 as a JSON string.
func (p PhoneNumber) MarshalGQL(w io.Writer) { writeJSON(w, string(p)) }

// UnmarshalGQL takes a string.
func (p *PhoneNumber) UnmarshalGQL(v any) error {
	return readText(v, p, ParsePhone, "a phone number")
}
