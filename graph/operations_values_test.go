package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// spot is the position of a value: an argument, or an item of a list or an input object.
type spot struct {
	typ *ast.Type
	// hint is the subject of the value, in addition to its type.
	hint string
	// optional is set if the schema has a default for the value.
	optional bool
}

// Values are those of encoding/json, and two that only a literal can contain: an enum
// value and a reference to a variable.
type (
	enumValue string
	reference struct{ *variable }
)

// variable is a variable of the document. All operations declare it in the same way.
type variable struct {
	spot

	name string
	// standby is the default; nil is none.
	standby any
	// values are given, or not, in the turns of the operation.
	values [turns]any
	given  [turns]bool
	faulty bool
}

func (v *variable) give(turn int, value any) { v.values[turn], v.given[turn] = value, true }

func (v *variable) declaration() string {
	text := "$" + v.name + ": " + v.typ.String()
	if v.standby != nil {
		text += " = " + literal(v.standby)
	}
	return text
}

// held returns a value at run time.
func held(value any, turn int) any {
	variable, ok := value.(reference)
	switch {
	case !ok:
		return value
	case variable.given[turn]:
		return variable.values[turn]
	default:
		return variable.standby
	}
}

// literal returns a value as a literal of GraphQL.
func literal(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case reference:
		return "$" + value.name
	case enumValue:
		return string(value)
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = literal(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		members := []string{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			members = append(members, name+": "+literal(value[name]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	default:
		text, _ := json.Marshal(value) // numbers, booleans and texts are written alike
		return string(text)
	}
}

// value returns a value; one in four is a variable.
func (w *operationWriter) value(at spot) any {
	if w.oneIn(4) {
		return reference{w.variable(at)}
	}
	return w.sample(at, w.value)
}

// constant returns a value without variables.
func (w *operationWriter) constant(at spot) any { return w.sample(at, w.constant) }

// sample returns a value with parts from inner.
func (w *operationWriter) sample(at spot, inner func(spot) any) any {
	if !at.typ.NonNull && w.oneIn(8) {
		return nil
	}
	if at.typ.Elem != nil {
		item := spot{typ: at.typ.Elem, hint: at.hint}
		if w.oneIn(8) {
			return w.constant(item) // one item stands for a list of it
		}
		items := []any{}
		for range 1 + w.below(5) - w.below(2) {
			items = append(items, inner(item))
		}
		return items
	}
	def := w.schema.Types[at.typ.Name()]
	switch def.Kind {
	case ast.Enum:
		return enumValue(pick(&w.choices, def.EnumValues...).Name)
	case ast.InputObject:
		members := map[string]any{}
		for _, field := range def.Fields {
			optional := !field.Type.NonNull || field.DefaultValue != nil
			if !optional || w.below(3) == 1 {
				members[field.Name] = inner(spot{field.Type, field.Name, field.DefaultValue != nil})
			}
		}
		return members
	default:
		return w.scalar(def.Name, at.hint)
	}
}

// variable returns a variable for the spot, sometimes one of the document that fits.
func (w *operationWriter) variable(at spot) *variable {
	w.used["variable"] = true
	for _, v := range w.variables {
		if v.fits(at) && (!v.faulty || !w.faulty) && w.below(3) == 1 {
			w.faulty = w.faulty || v.faulty
			return v
		}
	}
	before := w.faulty
	v := w.newVariable(at)
	v.name, v.faulty = fmt.Sprintf("v%d", len(w.variables)+1), w.faulty && !before
	w.variables = append(w.variables, v)
	return v
}

// fits reports whether the variable is valid at the spot.
func (v *variable) fits(at spot) bool {
	if v.hint != at.hint || named(v.typ, false).String() != named(at.typ, false).String() {
		return false
	}
	for turn := range turns {
		if v.given[turn] && v.values[turn] == nil {
			return !at.typ.NonNull
		}
	}
	return !at.typ.NonNull || v.typ.NonNull || v.standby != nil || at.optional
}

// newVariable returns a variable in one of the ways that the spot allows: with and
// without a default, given, null and absent.
func (w *operationWriter) newVariable(at spot) *variable {
	kinds := 4
	switch {
	case !at.typ.NonNull:
		kinds = 8
	case at.optional:
		kinds = 6
	}
	full := spot{typ: named(at.typ, true), hint: at.hint}
	v := &variable{spot: spot{typ: named(at.typ, false), hint: at.hint}}
	kind := w.below(kinds)
	if at.typ.NonNull && at.optional && w.spoil(12) {
		kind = 6 + w.below(2) // null, which is refused
	}
	if kind == 0 || kind == 1 {
		v.typ = full.typ
	}
	if kind == 1 || kind == 2 || kind == 3 || kind == 7 {
		v.standby = w.constant(full)
	}
	switch null, absent := kind >= 6, w.below(turns); {
	case null:
		v.give(absent, nil)
	case kind == 0 || kind == 4:
		v.give(absent, w.constant(full))
		fallthrough
	default:
		v.give(1-absent, w.constant(full))
	}
	if v.standby != nil {
		w.used["variable with a default"] = true
	}
	return v
}

// named returns the type as nullable or non-null.
func named(typ *ast.Type, nonNull bool) *ast.Type {
	same := *typ
	same.NonNull = nonNull
	return &same
}
