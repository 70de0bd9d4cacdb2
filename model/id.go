package model

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Kind is the prefix of a global id; it names the type of a record.
type Kind string

// ID is the scalar ID: readable and global, such as pat_42. The zero ID was
// never given out to anybody.
type ID struct {
	Kind Kind
	Num  int64
}

// ParseID reads pat_42, or a bare 42 which has no kind. A text that is neither
// becomes the zero ID and not an error, so that a malformed id has the same
// answer as one that was never given out.
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

// Of returns the number of an id of the kind, or of a bare number; 0, which no
// record has, for an id of another kind.
func (id ID) Of(kind Kind) int64 {
	if id.Kind == kind || id.Kind == "" {
		return id.Num
	}
	return 0
}

// String returns the id as the API gives it out.
func (id ID) String() string {
	return string(id.Kind) + "_" + strconv.FormatInt(id.Num, 10)
}

// MarshalGQL writes the id as a JSON string.
func (id ID) MarshalGQL(w io.Writer) { writeText(w, id.String()) }

// UnmarshalGQL takes a string or an integer; see ParseID.
func (id *ID) UnmarshalGQL(v any) error {
	switch v.(type) {
	case string, json.Number, int64, int:
		*id = ParseID(fmt.Sprint(v))
	default:
		*id = ID{}
	}
	return nil
}
