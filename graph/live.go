package graph

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

const subscriptionType = "Subscription"

// liveExtension is the key of the liveQuery among the extensions of an operation's stats.
const liveExtension = "live"

// liveQuery is what a subscription to `live` asks for again and again.
type liveQuery struct {
	// operation selects below Query what the subscription selects below live.
	operation     *ast.OperationDefinition
	topics, named model.Topics
}

// liveQueries returns the queries of a document's subscriptions to `live`. It refuses a
// subscription that has not exactly one root field for all variables, and a query that asks
// for the schema or for changes.
func (o *operations) liveQueries(doc *ast.QueryDocument) (map[*ast.OperationDefinition]*liveQuery, gqlerror.List) {
	found := map[*ast.OperationDefinition]*liveQuery{}
	for _, op := range doc.Operations {
		if op.Operation != ast.Subscription {
			continue
		}
		root, query := rootFieldsOf(op.SelectionSet), *op
		query.Operation, query.SelectionSet = ast.Query, nil
		for _, field := range root.fields {
			if root.isConditional || field.Alias != root.fields[0].Alias {
				return nil, invalid("A subscription must have exactly one root field, without @skip and @include.")
			}
			query.SelectionSet = append(query.SelectionSet, field.SelectionSet...)
		}
		if root.fields[0].Name != "live" {
			continue
		}
		for _, field := range rootFieldsOf(query.SelectionSet).fields {
			if strings.HasPrefix(field.Name, "__") && field.Name != "__typename" || field.Name == "changes" {
				return nil, invalid("`live` cannot select %s.", field.Name)
			}
		}
		topics := topicFinder{schema: o.schema, records: o.Store.Records(), visited: map[*ast.FragmentDefinition]bool{}}
		topics.walk(query.SelectionSet)
		found[op] = &liveQuery{&query, topics.found, topics.found &^ topics.listed}
	}
	return found, nil
}

// rootFields are the fields of a selection set with those of its fragments.
type rootFields struct {
	fields []*ast.Field
	// isConditional says that a directive, such as @skip, may leave some of them out.
	isConditional bool
	visited       map[*ast.FragmentDefinition]bool
}

func rootFieldsOf(selections ast.SelectionSet) rootFields {
	r := rootFields{visited: map[*ast.FragmentDefinition]bool{}}
	r.add(selections)
	return r
}

func (r *rootFields) add(selections ast.SelectionSet) {
	for _, selection := range selections {
		var directives ast.DirectiveList
		switch it := selection.(type) {
		case *ast.Field:
			directives = it.Directives
			r.fields = append(r.fields, it)
		case *ast.InlineFragment:
			directives = it.Directives
			r.add(it.SelectionSet)
		case *ast.FragmentSpread:
			directives = it.Directives
			if !r.visited[it.Definition] {
				r.visited[it.Definition] = true
				r.add(it.Definition.SelectionSet)
			}
		}
		r.isConditional = r.isConditional || len(directives) > 0
	}
}

// topicFinder collects the topics of the records that a query reads or counts.
type topicFinder struct {
	schema  *ast.Schema
	records *query.Records
	visited map[*ast.FragmentDefinition]bool
	found   model.Topics
	// listed are those of records of which others than those in the answer matter, and of
	// records without an id in the answer.
	listed model.Topics
}

func (t *topicFinder) walk(selections ast.SelectionSet) {
	for _, selection := range selections {
		switch it := selection.(type) {
		case *ast.Field:
			t.field(it)
			t.walk(it.SelectionSet)
		case *ast.InlineFragment:
			t.walk(it.SelectionSet)
		case *ast.FragmentSpread:
			if !t.visited[it.Definition] {
				t.visited[it.Definition] = true
				t.walk(it.Definition.SelectionSet)
			}
		}
	}
}

func (t *topicFinder) field(f *ast.Field) {
	def := t.schema.Types[f.Definition.Type.Name()]
	isPage := def.Fields.ForName("edges") != nil
	if isPage {
		def = t.schema.Types[t.schema.Types[def.Fields.ForName("edges").Type.Name()].Fields.ForName("node").Type.Name()]
	}
	counted, _ := t.records.Group(f.Name)
	switch {
	case def.Kind == ast.Interface:
		t.add(model.AllTopics, false)
	case def.Directives.ForName("access") != nil:
		t.add(model.TopicOf(def.Name), !isPage && isNamed(f, def.Name))
	case counted != nil:
		t.add(model.TopicOf(counted.Name), false)
	}
}

func (t *topicFinder) add(topics model.Topics, isNamed bool) {
	t.found |= topics
	if !isNamed {
		t.listed |= topics
	}
}

// isNamed reports whether no change of another record of the type can change the value of a
// field, and the answer has the id of the record. A change of an account concerns that
// account in any case.
func isNamed(f *ast.Field, typ string) bool {
	switch typ {
	case "User":
		return f.Name == "me" || f.ObjectDefinition.Name != "Query" && selectsID(f)
	case "Doctor": // which stays readable through its mappings
		return f.ObjectDefinition.Name == "Mapping" && selectsID(f)
	default:
		return false
	}
}

func selectsID(f *ast.Field) bool {
	below := rootFieldsOf(f.SelectionSet)
	return !below.isConditional && slices.ContainsFunc(below.fields, func(f *ast.Field) bool { return f.Name == "id" })
}
