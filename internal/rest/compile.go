package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// operation is a row after it was checked against the schema.
type operation struct {
	row

	inputs []input
	// inInput says that the fields of the body are those of the variable
	// $input.
	inInput bool
	// root is the only root field of the document.
	root   node
	public bool
	// byID, conditional and paged say that the document has the variable $id,
	// $expectedVersion or $after.
	byID, conditional, paged bool
	pageSize                 int // the default of $first
	// asksDevice says that the document has the variable $hasDevice.
	asksDevice bool
	// submit is Options.Submit.
	submit func(ctx context.Context, key string, content []byte) context.Context
}

// input is a field of a body with its place in the schema.
type input struct {
	field
	slot
}

// choice is a value of an enum as GraphQL and as REST write it.
type choice struct{ graphql, rest string }

// compile checks the rows and groups them by path.
func compile(schema *ast.Schema, rows []row) (resources, error) {
	if _, err := parse(schema, callerDocument); err != nil {
		return nil, fmt.Errorf("rest: compile the query for the caller: %w", err)
	}
	all := resources{}
	for _, row := range rows {
		op, err := compileRow(schema, row)
		if err == nil {
			err = all.add(op)
		}
		if err != nil {
			return nil, fmt.Errorf("rest: %s %s: %w", row.method, row.path, err)
		}
	}
	return all, nil
}

func (all resources) add(op *operation) error {
	if !strings.HasPrefix(op.path, prefix) || !strings.HasSuffix(op.path, "/") {
		return fmt.Errorf("the path must begin with %s and end with a slash", prefix)
	}
	res, ok := all[op.path]
	if !ok {
		res = &resource{path: op.path, operations: map[string]*operation{}, guarded: true}
		all[op.path] = res
	}
	if res.operations[op.method] != nil {
		return errors.New("the row exists twice")
	}
	res.operations[op.method] = op
	res.allow = allow(res.operations)
	res.guarded = res.guarded && !op.public
	res.refusesBadToken = res.refusesBadToken || op.refusesBadToken
	return nil
}

// allow lists the methods in the order that clients know.
func allow(operations map[string]*operation) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if operations[method] != nil {
			methods = append(methods, method)
		}
	}
	if operations[http.MethodGet] != nil {
		methods = append(methods, http.MethodHead)
	}
	return strings.Join(append(methods, http.MethodOptions), ", ")
}

func compileRow(schema *ast.Schema, r row) (*operation, error) {
	op := &operation{row: r}
	if r.check != nil {
		op.public = true
		for _, f := range r.fields {
			op.inputs = append(op.inputs, input{field: f.named()})
		}
		return op, nil
	}
	parsed, err := parse(schema, r.document)
	if err != nil {
		return nil, err
	}
	if op.root, err = compileNode(schema, parsed.SelectionSet[0]); err != nil {
		return nil, err
	}
	if r.located && !op.root.has(id) {
		return nil, errors.New("the answer needs an id for the location of the new record")
	}
	if (r.message != "") != strings.Contains(r.document, "__typename") {
		return nil, errors.New("a message and the field `message: __typename` need each other")
	}
	if parsed.Operation == ast.Mutation && !op.root.has(userErrors) {
		return nil, errors.New("the document does not select userErrors")
	}
	op.public = isPublic(schema, op.root.field.Definition)
	if parsed.Name != "" {
		op.name = lowerFirst(parsed.Name)
	}
	return op, op.bind(schema, parsed.VariableDefinitions)
}

// parse returns the one operation of a document that fits the schema.
func parse(schema *ast.Schema, document string) (*ast.OperationDefinition, error) {
	parsed, errs := gqlparser.LoadQueryWithRules(schema, document, rules.NewDefaultRules())
	if len(errs) > 0 {
		return nil, errs
	}
	if len(parsed.Operations) != 1 || len(parsed.Operations[0].SelectionSet) != 1 {
		return nil, errors.New("the document must be one operation with one root field")
	}
	return parsed.Operations[0], nil
}

// isPublic reports whether the audience of a root field admits callers without
// a token. A field without @access is closed.
func isPublic(schema *ast.Schema, root *ast.FieldDefinition) bool {
	access := root.Directives.ForName("access")
	if access == nil {
		return false
	}
	audience := access.Arguments.ForName("to").Value
	admits := schema.Types["Audience"].EnumValues.ForName(audience.Raw).Directives.ForName("admits")
	return admits != nil && slices.ContainsFunc(admits.Arguments.ForName("relations").Value.Children,
		func(relation *ast.ChildValue) bool { return relation.Value.Raw == "ANYONE" })
}

// The variables that no field of a body sets.
const (
	idVariable      = "id"
	versionVariable = "expectedVersion"
	firstVariable   = "first"
	afterVariable   = "after"
	deviceVariable  = "hasDevice"
)

// bind finds the GraphQL name and type of each field of the body, and checks
// that the body can provide everything that the schema requires.
func (op *operation) bind(schema *ast.Schema, variables ast.VariableDefinitionList) error {
	op.inInput = variables.ForName("input") != nil
	op.byID = variables.ForName(idVariable) != nil
	op.conditional = variables.ForName(versionVariable) != nil
	op.paged = variables.ForName(afterVariable) != nil
	op.asksDevice = variables.ForName(deviceVariable) != nil
	if op.byID != strings.Contains(op.path, idSegment) {
		return errors.New("the path and the document must both have an id, or neither")
	}
	if first := variables.ForName(firstVariable); first != nil {
		op.pageSize, _ = strconv.Atoi(first.DefaultValue.String())
	}
	if op.paged != op.root.has(pageInfo) || op.paged != (op.pageSize > 0) {
		return errors.New("a list needs $first with a default, $after and pageInfo")
	}
	open := op.slots(schema, variables)
	for _, f := range op.fields {
		f = f.named()
		if f.onlyAsks {
			op.inputs = append(op.inputs, input{field: f})
			continue
		}
		slot, ok := open[f.input]
		if !ok {
			return fmt.Errorf("the schema has no field %q to take %q", f.input, f.name)
		}
		if (f.optional || op.partial) && slot.required {
			return fmt.Errorf("%q is optional, but the schema requires %q", f.name, f.input)
		}
		op.inputs = append(op.inputs, input{f, slot})
		delete(open, f.input)
	}
	for name, slot := range open {
		if slot.required {
			return fmt.Errorf("no field of the body sets %q, which the schema requires", name)
		}
	}
	return nil
}

// slot is a place for the value of a body's field.
type slot struct {
	required bool
	typ      string   // the name of the type
	choices  []choice // of an enum
	// definition is what the schema says about it; nil for the field of a check.
	definition *ast.FieldDefinition
}

// slots returns the fields of the variable $input or, without it, the
// variables.
func (op *operation) slots(schema *ast.Schema, variables ast.VariableDefinitionList) map[string]slot {
	all := map[string]slot{}
	add := func(f *ast.FieldDefinition) {
		all[f.Name] = slot{f.Type.NonNull && f.DefaultValue == nil, f.Type.Name(), choices(schema, f.Type), f}
	}
	if variable := variables.ForName("input"); variable != nil {
		for _, f := range schema.Types[variable.Type.Name()].Fields {
			add(f)
		}
		return all
	}
	for _, v := range variables {
		if v.Variable == idVariable || v.Variable == versionVariable || v.Variable == firstVariable || v.Variable == afterVariable {
			continue
		}
		f := &ast.FieldDefinition{Name: v.Variable, Type: v.Type, DefaultValue: v.DefaultValue}
		for _, argument := range op.root.field.Arguments {
			if argument.Value.Raw == v.Variable {
				f.Description = op.root.field.Definition.Arguments.ForName(argument.Name).Description
			}
		}
		add(f)
	}
	return all
}

// choices returns nil for a type that is not an enum. Blood groups are written
// as in their descriptions, all other values in lower case.
func choices(schema *ast.Schema, typ *ast.Type) (all []choice) {
	for _, value := range schema.Types[typ.Name()].EnumValues {
		written := strings.ToLower(value.Name)
		if typ.Name() == "BloodGroup" {
			written = value.Description
		}
		all = append(all, choice{value.Name, written})
	}
	return all
}
