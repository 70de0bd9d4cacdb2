package model

import (
	"encoding/binary"
	"io"
)

// AppendText appends a text as a JSON string as gqlgen writes it: it escapes quotes,
// backslashes and control characters only.
func AppendText[T ~string | ~[]byte](b []byte, text T) []byte {
	b = append(b, '"')
	start := len(b)
	if b = append(b, text...); !plain(b[start:]) {
		b = appendEscaped(b[:start], text)
	}
	return append(b, '"')
}

// plain reports whether a text needs no escapes.
func plain(text []byte) bool {
	const word = 8
	if len(text) < word {
		for _, c := range text {
			if special(c) {
				return false
			}
		}
		return true
	}
	for i := 0; i < len(text)-word; i += word {
		if specialIn(binary.LittleEndian.Uint64(text[i:])) {
			return false
		}
	}
	return !specialIn(binary.LittleEndian.Uint64(text[len(text)-word:]))
}

// specialIn reports whether one of eight bytes is special. Subtraction borrows from
// the top bit of a byte that is less than a space, or zero after the XOR with a
// quote or a backslash.
func specialIn(word uint64) bool {
	const (
		ones = 0x0101010101010101
		tops = 0x80 * ones
	)
	control, quote, backslash := word-' '*ones, (word^'"'*ones)-ones, (word^'\\'*ones)-ones
	return (control|quote|backslash)&^word&tops != 0
}

func special(c byte) bool { return c < ' ' || c == '"' || c == '\\' }

func appendEscaped[T ~string | ~[]byte](b []byte, text T) []byte {
	const hex = "0123456789ABCDEF"
	start := 0
	for i := range len(text) {
		c := text[i]
		if !special(c) {
			continue
		}
		b = append(b, text[start:i]...)
		start = i + 1
		switch c {
		case '\t':
			b = append(b, `\t`...)
		case '\r':
			b = append(b, `\r`...)
		case '\n':
			b = append(b, `\n`...)
		case '"', '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(b, text[start:]...)
}

func writeJSON(w io.Writer, text string) { _, _ = w.Write(AppendText(nil, text)) }
