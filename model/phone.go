package model

import (
	"io"
	"strings"
	"unicode"

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
// +91 98765 43210, 098765-43210, 1800 266 0101) and any number with its country code,
// in the digits of any script.
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
	text = plainPhone(text)
	if len(text) > maxPhoneText || strings.Trim(text, phoneSigns) != "" {
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

const phoneSigns = "+0123456789 -()."

// plainPhone returns a text in the characters that phone numbers are read from: ASCII
// digits for those of any script, a space and a hyphen for all spaces and dashes, and no
// invisible characters, such as marks of direction.
func plainPhone(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			return '0' + digitValue(r)
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Pd, r) || r == '\u2212': // minus sign
			return '-'
		case isIgnorable(r):
			return -1
		case r > 0xff00 && r < 0xff5f: // ASCII in full width
			return r - 0xff00 + ' '
		default:
			return r
		}
	}, text)
}

// digitValue returns the value of a decimal digit. In Unicode the ten digits of a script
// follow each other from zero.
func digitValue(r rune) (value rune) {
	for unicode.IsDigit(r - 1 - value) {
		value++
	}
	return value % 10
}

// PhoneDigits returns the digits of a text that may be part of a phone number, without
// the trunk prefix; "" for any other text.
func PhoneDigits(text string) string {
	text = plainPhone(text)
	if strings.Trim(text, phoneSigns) != "" {
		return ""
	}
	text = strings.ReplaceAll(text, "(0)", "") // a trunk prefix after the country code
	return strings.TrimLeft(drop(text, func(r rune) bool { return !unicode.IsDigit(r) }), "0")
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
// begin with 6 to 9, or in the numbering plan a landline or a service number.
func plausibleInIndia(digits string, number *phonenumbers.PhoneNumber) bool {
	switch {
	case len(digits) == indiaDigits && digits[0] >= '6':
		return true
	case len(digits) == indiaDigits, strings.HasPrefix(digits, "1800"), strings.HasPrefix(digits, "1860"):
		return phonenumbers.IsValidNumber(number)
	default:
		return false
	}
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
