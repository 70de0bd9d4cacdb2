package policy

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

func TestConstraints_RealSchemaSaysWhatValuesMustMeet(t *testing.T) {
	t.Parallel()
	types := compile(t, realSchema(t)).Types
	for field, want := range map[string]model.Constraint{
		"User.username":          {Max: 150, Required: true},
		"User.email":             {Max: 254, Required: true}, // null is hidden; registration requires it
		"Patient.address":        {Max: 20_000, Required: true},
		"Patient.medicalHistory": {Max: 20_000},
		"Patient.gender":         {Required: true},
		"Patient.bloodGroup":     {},
		"Patient.createdAt":      {}, // no input sets it
		"Doctor.experienceYears": {Min: 0, Max: 70, Required: true},
		"Mapping.notes":          {Max: 20_000},
	} {
		typ, name, _ := strings.Cut(field, ".")
		if got := types[typ].Constraints[name]; got != want {
			t.Errorf("%s: %+v, want %+v", field, got, want)
		}
	}
}

// A description explains codes; the directive lists them.
func TestConstraints_EveryMutationListsItsCodes(t *testing.T) {
	t.Parallel()
	schema := realSchema(t)
	for _, mutation := range schema.Mutation.Fields {
		directive := mutation.Directives.ForName("userErrors")
		if directive == nil {
			t.Errorf("%s has no @userErrors", mutation.Name)
			continue
		}
		codes := valuesOf(directive.Arguments.ForName("codes").Value)
		for place, text := range described(schema, mutation) {
			for _, code := range schema.Types["UserErrorCode"].EnumValues {
				named := regexp.MustCompile(`\b` + code.Name + `\b`).MatchString(text)
				if named && !slices.Contains(codes, code.Name) {
					t.Errorf("the description of %s names %s, which @userErrors of %s lacks", place, code.Name, mutation.Name)
				}
			}
		}
		if slices.Sort(codes); len(slices.Compact(codes)) != len(directive.Arguments.ForName("codes").Value.Children) {
			t.Errorf("%s names a code twice", mutation.Name)
		}
	}
}

// described has the descriptions of a mutation, its arguments and its input.
func described(schema *ast.Schema, mutation *ast.FieldDefinition) map[string]string {
	all := map[string]string{mutation.Name: mutation.Description}
	for _, arg := range mutation.Arguments {
		all[mutation.Name+"."+arg.Name] = arg.Description
		if arg.Name != "input" {
			continue
		}
		input := schema.Types[arg.Type.Name()]
		all[input.Name] = input.Description
		for _, field := range input.Fields {
			all[input.Name+"."+field.Name] = field.Description
		}
	}
	return all
}

// bounded is a valid schema. Each case of the next test adds one error.
const bounded = `
directive @access(to: Audience!) on FIELD_DEFINITION | OBJECT
directive @owner(read: Audience!, write: Audience! = NOBODY) on FIELD_DEFINITION
directive @admits(relations: [Relation!]!) on ENUM_VALUE
directive @creates(type: String!, except: [String!]! = []) on INPUT_OBJECT
directive @text(min: Int! = 0, max: Int!) on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @range(min: Int!, max: Int!) on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @userErrors(codes: [UserErrorCode!]!) on FIELD_DEFINITION
enum Relation { ANYONE SIGNED_IN SELF OWNER ASSIGNED_DOCTOR ADMIN TEAM TEAM_CLINICAL TEAM_DESK RELATED }
enum Audience { MEMBERS @admits(relations: [SIGNED_IN]) NOBODY @admits(relations: []) }
enum UserErrorCode { TOO_LONG }
scalar Date
type Note @access(to: MEMBERS) {
  id: ID! @owner(read: MEMBERS)
  title: String @owner(read: MEMBERS, write: MEMBERS) @text(max: 10)
  pages: Int @owner(read: MEMBERS, write: MEMBERS) @range(min: 1, max: 9)
  written: Date @owner(read: MEMBERS, write: MEMBERS)
  size: Int @owner(read: MEMBERS)
}
type Plain { text: String }
type NotePayload { note: Note problems: [String!] }
input CreateNoteInput @creates(type: "Note", except: ["draft"]) { title: String! pages: Int written: Date draft: String @text(min: 2, max: 5) }
input NoteFilter { text: String }
type Query { note(filter: NoteFilter): Note }
type Mutation {
  createNote(input: CreateNoteInput!): NotePayload @access(to: MEMBERS) @userErrors(codes: TOO_LONG)
  sendNote: NotePayload @access(to: MEMBERS)
}
`

func TestConstraints_BoundedSchemaIsAccepted(t *testing.T) {
	t.Parallel()
	got := compile(t, load(t, "bounded", bounded)).Types["Note"].Constraints
	want := model.Constraints{"title": {Max: 10, Required: true}, "pages": {Min: 1, Max: 9}}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestConstraints_RefusesMistakesByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, replacement, want string }{
		{
			"text that no input sets", "size: Int @owner(read: MEMBERS)", "size: String @owner(read: MEMBERS) @text(max: 1)",
			"Note.size: @text has no meaning here: no input of a mutation sets it",
		},
		{
			"range that no input sets", "size: Int @owner(read: MEMBERS)", "size: Int @owner(read: MEMBERS) @range(min: 0, max: 1)",
			"Note.size: @range has no meaning here: no input of a mutation sets it",
		},
		{
			"text outside records", "type Plain { text: String }", "type Plain { text: String @text(max: 1) }",
			"Plain.text: @text has no meaning here: it is neither a field of a record nor of a mutation's input",
		},
		{
			"range in a filter", "input NoteFilter { text: String }", "input NoteFilter { text: Int @range(min: 0, max: 1) }",
			"NoteFilter.text: @range has no meaning here: it is neither a field of a record nor of a mutation's input",
		},
		{
			"text on a root field", "note(filter: NoteFilter): Note", "note(filter: NoteFilter): Note title: String @text(max: 1)",
			"Query.title: @text has no meaning here",
		},
		{
			"limit of the record at the input", "title: String! pages", "title: String! @text(max: 10) pages",
			"CreateNoteInput.title: @text has no meaning here: the limit belongs to Note.title",
		},
		{
			"text on a date", "written: Date @owner", "written: Date @text(max: 1) @owner",
			"Note.written: @text does not fit the type Date",
		},
		{
			"text on a list", "draft: String @text(min", "draft: [String] @text(min",
			"CreateNoteInput.draft: @text does not fit the type [String]",
		},
		{
			"range on a text", "@text(max: 10)", "@range(min: 0, max: 10)",
			"Note.title: @range does not fit the type String",
		},
		{
			"bounds in the wrong order", "@range(min: 1, max: 9)", "@range(min: 10, max: 9)",
			"Note.pages: @range has the min 10 and the max 9",
		},
		{
			"text in the wrong order", "@text(min: 2, max: 5)", "@text(min: 6, max: 5)",
			"CreateNoteInput.draft: @text has the min 6 and the max 5",
		},
		{
			"text of a record with a min", "@text(max: 10)", "@text(min: 1, max: 10)",
			"Note.title: @text has no meaning here: a text of a record has no min",
		},
		{
			"codes of a query", "note(filter: NoteFilter): Note", "note(filter: NoteFilter): Note @userErrors(codes: [TOO_LONG])",
			"Query.note: @userErrors has no meaning here: it is no mutation",
		},
		{
			"codes of a record's field", "size: Int @owner(read: MEMBERS)", "size: Int @owner(read: MEMBERS) @userErrors(codes: [TOO_LONG])",
			"Note.size: @userErrors has no meaning here: it is no mutation",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, bounded, c.old, c.replacement, c.want)
		})
	}
}

// The parser refuses these; the compiler does not rely on it.
func TestConstraints_RefusesWhatTheParserCouldLetThrough(t *testing.T) {
	t.Parallel()
	schema := load(t, "bounded", bounded)
	note := schema.Types["Note"].Fields
	note.ForName("title").Directives.ForName("text").Arguments = nil
	note.ForName("pages").Directives.ForName("range").Arguments.ForName("max").Value.Raw = "many"
	schema.Mutation.Fields.ForName("createNote").Directives.ForName("userErrors").Arguments[0].Value.Raw = "NO_SUCH_CODE"
	_, err := Compile(schema)
	for _, want := range []string{
		"Note.title: @text has no argument max",
		"Note.pages: @range(max:) is no number: many",
		"Mutation.createNote: @userErrors names the code NO_SUCH_CODE, which does not exist",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v\nwant %s", err, want)
		}
	}
	schema.Mutation.Fields.ForName("createNote").Directives.ForName("userErrors").Arguments = nil
	if _, err := Compile(schema); err == nil || !strings.Contains(err.Error(), "Mutation.createNote: @userErrors has no argument codes") {
		t.Errorf("got error %v", err)
	}
}
