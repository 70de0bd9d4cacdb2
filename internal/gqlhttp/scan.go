package gqlhttp

import (
	"encoding/json"
	"strings"
)

// maxDepth is the deepest nesting that decodeFast reads. A deeper body is refused.
const maxDepth = 64

// decodeFast reads the parameters from JSON in UTF-8 in one pass: a body with
// variables takes 1.4 us where decode takes 7 (BenchmarkDecode), which is 4 to 7 %
// of the CPU of a lookup (W1, make bench). It reports false for every body that is not exactly
// right, and for the few valid ones that it does not know: decode reads and
// judges those. Both return the same values (see FuzzDecode).
func decodeFast(body []byte) (*request, bool) {
	s, r, asked := scanner{text: body}, &request{}, false
	s.members(func(name token) {
		switch string(name.raw) { // of several with one name the last counts
		case "query":
			asked, r.Query = s.peek() == '"', s.stringOrNull()
		case "operationName":
			r.OperationName = s.stringOrNull()
		case "variables":
			r.Variables = s.objectOrNull()
		case "extensions":
			r.Extensions, r.hash = s.extensions()
		case "documentId":
			r.documentID = s.stringOrNull()
		case "doc_id":
			r.docID = s.stringOrNull()
		default:
			if name.escaped {
				s.fail() // it may be one of the above
			}
			s.value()
		}
	})
	s.peek()
	return r, (asked || r.name() != "") && !s.failed && s.at == len(s.text)
}

// extensions reads an object or null. The hash of its persistedQuery comes apart, so that
// the usual object needs no map.
func (s *scanner) extensions() (others map[string]any, hash string) {
	if s.null() {
		return nil, ""
	}
	s.members(func(name token) {
		switch {
		case string(name.raw) == persistedQuery:
			hash = s.persistedQuery()
		case others == nil:
			others = map[string]any{s.extension(name): s.value()}
		default:
			others[s.extension(name)] = s.value()
		}
	})
	return others, hash
}

func (s *scanner) extension(name token) string {
	if name.escaped {
		s.fail() // it may be persistedQuery
	}
	return string(name.raw)
}

// persistedQuery reads the hash of a document. It leaves everything else to decode.
func (s *scanner) persistedQuery() (hash string) {
	known := false
	s.members(func(name token) {
		switch string(name.raw) {
		case "version":
			known = s.number() == "1"
		case "sha256Hash":
			hash = s.string()
		default:
			s.fail()
		}
	})
	if !known || hash == "" {
		s.fail()
	}
	return hash
}

// scanner is a position in a JSON text. After a failure it is at the end, where
// it finds nothing more and every method returns at once.
type scanner struct {
	text   []byte
	at     int
	depth  int
	failed bool
}

func (s *scanner) fail() { s.failed, s.at = true, len(s.text) }

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		if c := s.text[s.at]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
	}
	return 0
}

// take skips the next byte, which must be c.
func (s *scanner) take(c byte) {
	if s.peek() != c {
		s.fail()
		return
	}
	s.at++
}

func (s *scanner) value() any {
	switch s.peek() {
	case '{':
		return s.object()
	case '[':
		return s.array()
	case '"':
		return s.string()
	case 't':
		s.word("true")
		return true
	case 'f':
		s.word("false")
		return false
	case 'n':
		s.word("null")
		return nil
	default:
		return s.number()
	}
}

// null skips a null if one is next.
func (s *scanner) null() bool {
	if s.peek() != 'n' {
		return false
	}
	s.word("null")
	return true
}

func (s *scanner) word(word string) {
	rest := s.text[s.at:]
	if len(rest) < len(word) || string(rest[:len(word)]) != word {
		s.fail()
		return
	}
	s.at += len(word)
}

func (s *scanner) objectOrNull() map[string]any {
	if s.null() {
		return nil
	}
	return s.object()
}

func (s *scanner) stringOrNull() string {
	if s.null() {
		return ""
	}
	return s.string()
}

func (s *scanner) object() map[string]any {
	object := map[string]any{}
	s.members(func(name token) { object[s.unescape(name)] = s.value() })
	return object
}

// members reads an object and calls member before each value.
func (s *scanner) members(member func(name token)) {
	s.list('{', '}', func() {
		name := s.token()
		s.take(':')
		member(name)
	})
}

func (s *scanner) array() []any {
	array := []any{}
	s.list('[', ']', func() { array = append(array, s.value()) })
	return array
}

// list calls item where an item must be.
func (s *scanner) list(begin, end byte, item func()) {
	s.take(begin)
	if s.depth++; s.depth > maxDepth {
		s.fail()
	}
	if s.peek() != end {
		item()
		for s.peek() == ',' {
			s.at++
			item()
		}
	}
	s.take(end)
	s.depth--
}

// number keeps the text of a number, so that scalars can read it exactly.
func (s *scanner) number() json.Number {
	start := s.at
	s.oneOf("-")
	if !s.oneOf("0") {
		s.digits()
	}
	if s.oneOf(".") {
		s.digits()
	}
	if s.oneOf("eE") {
		s.oneOf("+-")
		s.digits()
	}
	return json.Number(s.text[start:s.at])
}

// digits skips at least one digit.
func (s *scanner) digits() {
	if !s.oneOf("0123456789") {
		s.fail()
	}
	for s.oneOf("0123456789") {
	}
}

func (s *scanner) oneOf(bytes string) bool {
	if s.at >= len(s.text) || strings.IndexByte(bytes, s.text[s.at]) < 0 {
		return false
	}
	s.at++
	return true
}
