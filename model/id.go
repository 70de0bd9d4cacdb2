package model

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kind is the prefix of a global id. It stands for the type of the record.
type Kind string

// ID is a global id, such as pat_42. No record has the zero ID.
type ID struct {
	Kind Kind
	Num  int64
}

// ParseID reads pat_42, or a bare 42 without a kind. Any other text becomes the zero
// ID, so that a malformed id gets the same answer as an unknown one.
func ParseID(text string) ID {
	kind, digits, found := strings.Cut(text, "_")
	if !found {
		kind, digits = "", text
	}
	num, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || num < 1 || digits[0] == '+' {
		return ID{}
	}
	if found && kind == "" {
		return ID{}
	}
	return ID{Kind(kind), num}
}

// Of returns the number of an id of the kind or without a kind. For another kind it
// returns 0, which no record has.
func (id ID) Of(kind Kind) int64 {
	if id.Kind == kind || id.Kind == "" {
		return id.Num
	}
	return 0
}

// String returns the id as clients get it.
func (id ID) String() string {
	return string(id.Kind) + "_" + strconv.FormatInt(id.Num, 10)
}

// MarshalGQL writes the id as a JSON string.
func (id ID) MarshalGQL(w io.Writer) { writeText(w, id.String()) }

// UnmarshalGQL takes a string or an integer; see ParseID.
func (id *ID) UnmarshalGQL(v any) error {
	switch v := v.(type) {
	case string:
		*id = ParseID(v)
	case json.Number, int64, int:
		*id = ParseID(fmt.Sprint(v))
	default:
		*id = ID{}
	}
	return nil
}
