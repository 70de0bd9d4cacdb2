package coerce

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The texts of faults are those of graphql-js, without the texts of clients.

func notNull(typ string) string {
	return fmt.Sprintf("Expected non-nullable type %q not to be null.", typ)
}

func missingField(f *field) string {
	return fmt.Sprintf("Field %q of required type %q was not provided.", f.name, f.typ.text)
}

// nameOf matches what may be repeated as the name of a field.
var nameOf = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]{0,63}$`)

func unknownField(key string, n *named) string {
	if !nameOf.MatchString(key) {
		key = "..."
	}
	return fmt.Sprintf("Field %q is not defined by type %q.", key, n.name)
}

// name is a literal without quotes, such as MALE.
type name string

// enumFault returns what is wrong with a value of an enum: a string in a variable, a name
// in a literal.
func (n *named) enumFault(value any) string {
	text, ok := value.(string)
	if !ok {
		return fmt.Sprintf("Enum %q cannot represent non-string value: %s.", n.name, hidden(value))
	}
	if !slices.Contains(n.values, text) {
		return fmt.Sprintf("Value \"...\" does not exist in %q enum. Its values are %s.", n.name, strings.Join(n.values, ", "))
	}
	return ""
}

// hidden shows everything but numbers.
func hidden(value any) string {
	if isNumber(value) {
		return "..."
	}
	return show(value)
}
