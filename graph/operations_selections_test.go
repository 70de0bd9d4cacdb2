package graph_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// location is the position of a selection in a document.
type location struct {
	on *ast.Definition
	// depth is the depth of the field, and weight the number of times that the limits
	// count it.
	depth, weight int
	// asked counts the names in the selection set.
	asked map[string]int
}

func (w *operationWriter) selectionSet(on *ast.Definition, depth, weight int) {
	w.members(location{on, depth, weight, map[string]int{}})
}

func (w *operationWriter) members(at location) {
	w.write("{")
	w.member(at)
	for range w.below(min(6, 1+len(at.on.Fields))) {
		if !w.full(at) {
			w.member(at)
		}
	}
	w.write("}")
}

func (w *operationWriter) member(at location) {
	w.selections++
	switch choice := w.below(16); {
	case choice == 12:
		w.typename(at)
	case choice == 13 && !w.full(at):
		w.inlineFragment(at)
	case choice >= 14 && w.spread(at):
	default:
		w.field(at)
	}
}

func (w *operationWriter) inlineFragment(at location) {
	w.used["inline fragment"] = true
	on := ""
	if w.below(4) > 0 {
		at.on = w.narrowed(at.on)
		on = " on " + at.on.Name
	}
	w.write("..." + on + w.directives())
	w.members(at)
}

// narrowed returns a type that a fragment at this location can have.
func (w *operationWriter) narrowed(on *ast.Definition) *ast.Definition {
	fitting := []*ast.Definition{on}
	for _, def := range w.types {
		if def != on && w.fits(def, on) {
			fitting = append(fitting, def)
		}
	}
	return pick(&w.choices, fitting...)
}

// fits reports whether a record can be of both types.
func (w *operationWriter) fits(a, b *ast.Definition) bool {
	for _, def := range w.schema.GetPossibleTypes(a) {
		for _, other := range w.schema.GetPossibleTypes(b) {
			if def == other {
				return true
			}
		}
	}
	return false
}

// spread writes a spread of a fragment, if one fits.
func (w *operationWriter) spread(at location) bool {
	fitting := []*fragment{}
	for _, f := range w.fragments {
		deep, dear := at.depth-1+f.depth, w.cost+at.weight*f.cost
		if w.fits(f.on, at.on) && deep <= w.maxDepth && dear <= w.maxCost {
			fitting = append(fitting, f)
		}
	}
	if len(fitting) == 0 {
		return false
	}
	f := pick(&w.choices, fitting...)
	w.used["named fragment"] = true
	w.spreads = append(w.spreads, f)
	w.depth, w.cost = max(w.depth, at.depth-1+f.depth), w.cost+at.weight*f.cost
	w.write("..." + f.name + w.directives())
	return true
}

func (w *operationWriter) field(at location) {
	field := w.chooseField(at)
	if field == nil {
		w.typename(at)
		return
	}
	arguments, records := w.arguments(at.on, field)
	below := w.schema.Types[field.Type.Name()]
	tooDear := below.IsCompositeType() && w.cost+5*at.weight*records > w.maxCost
	name, free := w.name(at, field.Name, arguments, field.Type)
	if tooDear || !free {
		w.typename(at)
		return
	}
	w.used[at.on.Name+"."+field.Name] = true
	w.ask(at, name, name+arguments+w.directives())
	if !below.IsCompositeType() {
		return
	}
	w.selectionSet(below, at.depth+1, at.weight*records)
	if w.oneIn(8) && !w.full(at) {
		w.selections++
		w.ask(at, name, name+arguments+w.directives())
		w.selectionSet(below, at.depth+1, at.weight*records)
	}
}

// chooseField returns a field of the type, at the maximum depth one without a selection
// set, or nil if there is none.
func (w *operationWriter) chooseField(at location) *ast.FieldDefinition {
	var leaves, all, composites []*ast.FieldDefinition
	for _, field := range at.on.Fields {
		switch {
		case strings.HasPrefix(field.Name, "__"), at.on == w.schema.Mutation && slices.Contains(accountMutations(), field.Name):
			continue
		case w.schema.Types[field.Type.Name()].IsCompositeType():
			composites = append(composites, field)
		default:
			leaves = append(leaves, field)
		}
		all = append(all, field)
	}
	switch {
	case at.depth < w.maxDepth && !w.full(at) && len(composites) > 0 && w.oneIn(3):
		return pick(&w.choices, composites...)
	case at.depth < w.maxDepth && !w.full(at):
		return pick(&w.choices, all...)
	case len(leaves) > 0:
		return pick(&w.choices, leaves...)
	default:
		return nil
	}
}

// accountMutations begin or end sessions or make codes, and no plan answers them.
func accountMutations() []string {
	return []string{
		"register", "login", "refreshToken", "logout", "logoutEverywhere", "endSession", "changePassword", "startTotp", "finishTotp", "stopTotp",
		"eraseMe", "requestPasswordReset", "resetPassword", "createLinkCode", "createClaimCode",
	}
}

func (w *operationWriter) typename(at location) {
	w.used["__typename"] = true
	name, _ := w.name(at, "__typename", "", ast.NonNullNamedType("String", nil))
	w.ask(at, name, name+w.directives())
}

// ask writes one field without its selection set.
func (w *operationWriter) ask(at location, name, text string) {
	key, _, aliased := strings.Cut(name, ":")
	if aliased {
		w.used["alias"] = true
		w.aliases++
	}
	if at.asked[key] > 0 {
		w.used["merged fields"] = true
	}
	w.repeats += at.asked[key]
	at.asked[key]++
	w.depth, w.cost = max(w.depth, at.depth), w.cost+at.weight
	w.write(text)
}

// maxAliases is below the limit.
const maxAliases = 40

// name returns the alias and the name of a field. In all selection sets that GraphQL may
// merge, a name of the answer stands for one field with one set of arguments, so that the
// document is valid. These are sets of the same type, and sets of all records, which
// fragments on Node merge. It returns false if no name is free.
func (w *operationWriter) name(at location, field, arguments string, typ *ast.Type) (string, bool) {
	scope, meaning := at.on.Name, field+arguments
	if at.on.Kind == ast.Interface || len(at.on.Interfaces) > 0 {
		scope, meaning = "Node", meaning+" "+typ.String()
	}
	mine := func(name string) bool {
		taken, ok := w.meanings[scope+"."+name]
		if !ok {
			w.meanings[scope+"."+name] = meaning
		}
		return !ok || taken == meaning
	}
	if !w.oneIn(8) && mine(field) {
		return field, true
	}
	if w.aliases >= maxAliases {
		return field, mine(field)
	}
	aliases := []string{"a", "b", "c", "id", "node", "nodes", "name", "edges", "phone", "data", "on", "type"}
	start := w.below(len(aliases))
	for i := range aliases {
		if alias := aliases[(start+i)%len(aliases)]; alias != field && mine(alias) {
			return alias + ": " + field, true
		}
	}
	alias := fmt.Sprintf("k%d", len(w.meanings))
	return alias + ": " + field, mine(alias)
}

// directives writes @skip and @include, or none of them.
func (w *operationWriter) directives() string {
	text := ""
	for _, name := range []string{"include", "skip"} {
		if w.oneIn(40) {
			w.used["@"+name] = true
			condition := w.value(spot{typ: ast.NonNullNamedType("Boolean", nil), hint: name})
			text += fmt.Sprintf(" @%s(if: %s)", name, literal(condition))
		}
	}
	return text
}
