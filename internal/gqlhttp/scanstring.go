package gqlhttp

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
)

// token is the text between the quotes of a string.
type token struct {
	raw     []byte
	escaped bool
}

func (s *scanner) token() (t token) {
	s.take('"')
	rest := s.text[s.at:]
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			t.raw = rest[:i]
			s.at += i + 1
			return t
		case c == '\\':
			t.escaped = true
			i++ // what comes next does not end the string
		case c < ' ':
			s.fail()
			return t
		}
	}
	s.fail()
	return t
}

// string returns a copy: caches keep the query far longer than the body, which
// may be large and may hold personal data.
func (s *scanner) string() string { return s.unescape(s.token()) }

func (s *scanner) unescape(t token) string {
	if !t.escaped {
		return string(t.raw)
	}
	var text strings.Builder
	text.Grow(len(t.raw))
	for raw := t.raw; ; {
		before, escape, found := bytes.Cut(raw, []byte{'\\'})
		text.Write(before)
		if !found {
			return text.String()
		}
		char, size := unescape(escape)
		if size == 0 {
			s.fail()
			return ""
		}
		text.WriteRune(char)
		raw = escape[size:]
	}
}

// unescape returns the character after a backslash and its length in bytes: 0
// if the escape is invalid or half a character (a surrogate).
func unescape(escape []byte) (char rune, size int) {
	if i := strings.IndexByte(`"\/bfnrt`, escape[0]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 1
	}
	if escape[0] != 'u' || len(escape) < 5 {
		return 0, 0
	}
	code, err := strconv.ParseUint(string(escape[1:5]), 16, 16)
	if err != nil || utf16.IsSurrogate(rune(code)) {
		return 0, 0
	}
	return rune(code), 5
}
