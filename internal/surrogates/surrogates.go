// Package surrogates finds escaped UTF-16 surrogates that stand for no character. It
// never decodes a text.
package surrogates

import (
	"strconv"
	"unicode/utf16"
)

// HasHalf reports whether a text with the escapes of JSON, or of a GraphQL
// string, has the escape of one half of a surrogate pair without the other. It stands
// for no character.
func HasHalf[T ~string | ~[]byte](escaped T) bool {
	const escape = len(`\u0000`)
	for i := 0; i < len(escaped)-1; i++ {
		if escaped[i] != '\\' {
			continue
		}
		first := escapedUnit(escaped[i:])
		switch {
		case !utf16.IsSurrogate(first):
			i++ // what comes after the backslash begins no escape
		case utf16.DecodeRune(first, escapedUnit(escaped[i+escape:])) == '\uFFFD':
			return true
		default:
			i += 2*escape - 1
		}
	}
	return false
}

// escapedUnit returns the code unit of the escape that a text begins with: 0 if there is
// none.
func escapedUnit[T ~string | ~[]byte](text T) rune {
	const escape = len(`\u0000`)
	if len(text) < escape || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:escape]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(unit)
}
