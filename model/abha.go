package model

import (
	"io"
	"strings"
)

// AbhaNumber is the number of an Ayushman Bharat Health Account: 14 digits, written
// as 91-1234-5678-9012. An invalid text is kept unchanged.
type AbhaNumber string

// ParseAbha reads 14 digits, with or without hyphens and spaces.
func ParseAbha(text string) AbhaNumber {
	text = strings.TrimSpace(text)
	if number, ok := parseAbha(text); ok {
		return number
	}
	return AbhaNumber(text)
}

func parseAbha(text string) (number AbhaNumber, ok bool) {
	const length = 14
	digits := strings.NewReplacer("-", "", " ", "").Replace(text)
	if len(digits) != length || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	return AbhaNumber(digits[:2] + "-" + digits[2:6] + "-" + digits[6:10] + "-" + digits[10:]), true
}

// Valid reports whether the number has 14 digits, written with hyphens.
func (a AbhaNumber) Valid() bool {
	number, ok := parseAbha(string(a))
	return ok && number == a
}

// MarshalGQL writes the number as a JSON string.
func (a AbhaNumber) MarshalGQL(w io.Writer) { writeJSON(w, string(a)) }

// UnmarshalGQL takes a string.
func (a *AbhaNumber) UnmarshalGQL(v any) error {
	return readText(v, a, ParseAbha, "an ABHA number")
}
