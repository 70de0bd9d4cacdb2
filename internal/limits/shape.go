package limits

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxDirectives bounds the directives on one field, fragment or operation:
// three are defined for queries, and none can be repeated.
const maxDirectives = 5

// check returns an error if the shape of the document exceeds a limit. It
// visits each fragment once. Cycles count up to that point: validation refuses
// them.
func (l Limits) check(doc *ast.QueryDocument) *gqlerror.Error {
	s := shape{doc: doc, depths: make(map[string]int, len(doc.Fragments))}
	for _, op := range doc.Operations {
		s.directive(op.Directives)
		s.depth = max(s.depth, s.set(op.SelectionSet, names{}))
	}
	for _, fragment := range doc.Fragments {
		s.fragment(fragment.Name)
	}
	return l.checkShape(s)
}

func (l Limits) checkShape(s shape) *gqlerror.Error {
	switch {
	case s.depth > l.Depth:
		return exceeded("The document is %d fields deep, and --max-depth allows %d.", s.depth, l.Depth)
	case s.aliases > l.Aliases:
		return exceeded("The document has %d aliases, and --max-aliases allows %d.", s.aliases, l.Aliases)
	case s.selections > l.Selections:
		return exceeded("The document selects %d fields and fragments, and --max-selections allows %d.", s.selections, l.Selections)
	case s.repeats > l.Repeats:
		return exceeded("The document selects the same names again and again: %d pairs, and --max-repeats allows %d.", s.repeats, l.Repeats)
	case s.directives > maxDirectives:
		return exceeded("One place in the document has %d directives, and at most %d are allowed.", s.directives, maxDirectives)
	}
	return nil
}

// shape holds what one walk over a document counts.
type shape struct {
	doc *ast.QueryDocument
	// depths holds the visited fragments. The depth of a fragment is 0 while it
	// is being visited, which ends a cycle.
	depths     map[string]int
	depth      int
	aliases    int
	selections int
	repeats    int
	directives int
}

// names counts how often each name occurs in a selection set, including its
// inline fragments.
type names map[string]int

// set counts a selection set and returns its depth.
func (s *shape) set(selections ast.SelectionSet, seen names) int {
	deepest := 0
	for _, selection := range selections {
		s.selections++
		switch it := selection.(type) {
		case *ast.Field:
			s.directive(it.Directives)
			s.repeats += seen[it.Alias]
			seen[it.Alias]++
			deepest = max(deepest, s.field(it))
		case *ast.InlineFragment:
			s.directive(it.Directives)
			deepest = max(deepest, s.set(it.SelectionSet, seen))
		case *ast.FragmentSpread:
			s.directive(it.Directives)
			deepest = max(deepest, s.fragment(it.Name))
		}
	}
	return deepest
}

func (s *shape) field(field *ast.Field) int {
	if field.Alias != field.Name {
		s.aliases++
	}
	if len(field.SelectionSet) == 0 {
		return 1
	}
	return 1 + s.set(field.SelectionSet, names{})
}

// fragment counts a fragment at its first spread and returns its depth.
func (s *shape) fragment(name string) int {
	if depth, ok := s.depths[name]; ok {
		return depth
	}
	s.depths[name] = 0
	if def := s.doc.Fragments.ForName(name); def != nil {
		s.directive(def.Directives)
		s.depths[name] = s.set(def.SelectionSet, names{})
	}
	return s.depths[name]
}

func (s *shape) directive(directives ast.DirectiveList) {
	s.directives = max(s.directives, len(directives))
}
