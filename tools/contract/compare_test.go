package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// clinic is the old schema of every case.
const clinic = `
directive @access(to: Audience!) on FIELD_DEFINITION | OBJECT
directive @owner(read: Audience!, write: Audience! = NOBODY) on FIELD_DEFINITION
directive @admits(relations: [Relation!]!) on ENUM_VALUE
directive @text(min: Int! = 0, max: Int!) on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @range(min: Int!, max: Int!) on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @redact(why: String, how: Int = 1) repeatable on QUERY | MUTATION | OBJECT
directive @server on OBJECT

enum Relation { ANYONE SIGNED_IN OWNER DOCTOR ADMIN }
enum Audience {
  PUBLIC @admits(relations: [ANYONE])
  SIGNED_IN @admits(relations: [SIGNED_IN])
  OWNERS @admits(relations: [OWNER])
  CIRCLE @admits(relations: [OWNER, DOCTOR, ADMIN])
  TREATING @admits(relations: [DOCTOR, OWNER])
  ADMINS @admits(relations: [ADMIN])
  NOBODY @admits(relations: [])
}
enum Gender { FEMALE MALE @deprecated OTHER }
enum Order { ASC DESC }
enum ErrorCode { INTERNAL }
scalar Date
interface Node { id: ID! }
interface Named { name: String }
union Found = Patient | Doctor

type Patient implements Node & Named @access(to: CIRCLE) {
  id: ID!
  name: String @owner(read: CIRCLE, write: OWNERS) @text(max: 100)
  age: Int! @range(min: 0, max: 130)
  gender: Gender @owner(read: TREATING)
  phone(format: String! = "E164", old: Int @deprecated): String
  fax: String @deprecated(reason: "Use phone.")
  tags: [String]
}
type Doctor implements Node { id: ID! }
type Query {
  patient(id: ID!): Patient @access(to: SIGNED_IN)
  patients(order: Order): [Patient!] @access(to: SIGNED_IN)
  found: [Found!] @access(to: PUBLIC)
}
type Mutation { create(input: Create!, dry: Boolean): Patient @access(to: SIGNED_IN) }
type Subscription { changes: Int @access(to: ADMINS) }
input Create {
  name: String! @text(min: 1, max: 100)
  born: Date
  gender: Gender = OTHER
  old: Int @deprecated
}
`

func TestCompare(t *testing.T) {
	t.Parallel()
	const undeprecated = ", undeprecated"
	also := map[string][2]string{ // what else has to change in a case
		"type removed":      {"Patient | Doctor", "Patient"},
		"value removed":     {"= OTHER", "= FEMALE"},
		"audience renamed":  {"read: TREATING", "read: CARING"},
		"text: without min": {"@text(min: 1, max: 100)", "@text(max: 100)"},
		"same relations":    {"  NOBODY @", "  CARING @admits(relations: [OWNER, DOCTOR])\n  NOBODY @"},
	}
	for name, test := range map[string]struct {
		old, new string // the part of the schema that changes
		want     []string
	}{
		"nothing": {"age: Int!", "age: Int!", nil},

		"type removed":              {"type Doctor implements Node { id: ID! }", "", []string{"Doctor: removed", "Found: no longer has the member Doctor"}},
		"kind changed":              {"scalar Date", "enum Date { TODAY }", []string{"Date: kind changed from SCALAR to ENUM"}},
		"field removed":             {"age: Int! @range(min: 0, max: 130)", "", []string{"Patient.age: removed" + undeprecated}},
		"deprecated field removed":  {`fax: String @deprecated(reason: "Use phone.")`, "", []string{"Patient.fax: removed"}},
		"root field removed":        {"found: [Found!] @access(to: PUBLIC)", "", []string{"Query.found: removed" + undeprecated}},
		"root field of a mutation":  {"create(input: Create!, dry: Boolean)", "make(input: Create!)", []string{"Mutation.create: removed" + undeprecated}},
		"output of another type":    {"tags: [String]", "tags: [ID]", []string{"Patient.tags: type changed from [String] to [ID]"}},
		"output no list any more":   {"tags: [String]", "tags: String", []string{"Patient.tags: type changed from [String] to String"}},
		"output becomes nullable":   {"age: Int!", "age: Int", []string{"Patient.age: type changed from Int! to Int"}},
		"output becomes stricter":   {"tags: [String]", "tags: [String!]!", nil},
		"interface gone":            {"implements Node & Named", "implements Node", []string{"Patient: no longer implements Named"}},
		"interface's field removed": {"interface Named { name: String }", "interface Named { id: ID! }", []string{"Named.name: removed" + undeprecated}},
		"member removed":            {"Patient | Doctor", "Patient", []string{"Found: no longer has the member Doctor"}},
		"member added":              {"Found = Patient | Doctor", "Found = Patient | Doctor | Nurse type Nurse { id: ID! }", []string{"+Found: has the new member Nurse"}},
		"value removed":             {"OTHER }", "}", []string{"Gender.OTHER: removed" + undeprecated, "Create.gender: default changed from OTHER to FEMALE"}},
		"deprecated value removed":  {"MALE @deprecated", "", []string{"Gender.MALE: removed"}},
		"value added":               {"FEMALE MALE", "FEMALE UNKNOWN MALE", []string{"+Gender.UNKNOWN: new value that clients may get"}},
		"value that is only sent":   {"ASC DESC", "ASC DESC NONE", nil},
		"error code added":          {"INTERNAL", "INTERNAL UNAVAILABLE", []string{"+ErrorCode.UNAVAILABLE: new value that clients may get"}},
		"subscriptions gone":        {"type Subscription { changes: Int @access(to: ADMINS) }", "", []string{"Subscription: removed"}},
		"another root of mutations": {
			"type Subscription {", "type Changes { id: ID } schema { query: Query mutation: Changes subscription: Subscription } type Subscription {",
			[]string{"Mutation: no longer the root of mutation operations"},
		},
		"no root of subscriptions": {
			"type Subscription {", "schema { query: Query mutation: Mutation } type Subscription {",
			[]string{"Subscription: no longer the root of subscription operations"},
		},
		"another root of queries": {
			"type Subscription {", "type Asked { id: ID } schema { query: Asked mutation: Mutation subscription: Subscription } type Subscription {",
			[]string{"Query: no longer the root of query operations"},
		},

		"argument removed":            {", dry: Boolean", "", []string{"Mutation.create(dry:): removed" + undeprecated}},
		"deprecated argument removed": {", old: Int @deprecated)", ")", []string{"Patient.phone(old:): removed"}},
		"argument becomes required":   {"dry: Boolean", "dry: Boolean!", []string{"Mutation.create(dry:): type changed from Boolean to Boolean!"}},
		"argument of another type":    {"patient(id: ID!)", "patient(id: String!)", []string{"Query.patient(id:): type changed from ID! to String!"}},
		"argument becomes nullable":   {"patient(id: ID!)", "patient(id: ID)", nil},
		"argument's default":          {`"E164"`, `"NATIONAL"`, []string{`Patient.phone(format:): default changed from "E164" to "NATIONAL"`}},
		"argument's default gone":     {` = "E164"`, "", []string{`Patient.phone(format:): default changed from "E164" to <nil>`}},
		"argument's default is new":   {"dry: Boolean", "dry: Boolean = true", []string{"Mutation.create(dry:): default changed from <nil> to true"}},
		"required argument added":     {"dry: Boolean", "dry: Boolean, key: ID!", []string{"Mutation.create(key:): added and required"}},
		"argument with default added": {"dry: Boolean", "dry: Boolean, key: Int! = 1, more: Int", nil},
		"input field removed":         {"born: Date", "", []string{"Create.born: removed" + undeprecated}},
		"deprecated input field gone": {"old: Int @deprecated\n", "\n", []string{"Create.old: removed"}},
		"input field required":        {"born: Date", "born: Date!", []string{"Create.born: type changed from Date to Date!"}},
		"input field optional":        {"name: String! @text(min", "name: String @text(min", nil},
		"input field's default":       {"gender: Gender = OTHER", "gender: Gender", []string{"Create.gender: default changed from OTHER to <nil>"}},
		"required input field added":  {"born: Date", "born: Date, key: ID!", []string{"Create.key: added and required"}},
		"optional input field added":  {"born: Date", "born: Date, key: ID! = 1, more: Int", nil},

		"directive removed":             {"directive @redact(why: String, how: Int = 1) repeatable on QUERY | MUTATION | OBJECT", "", []string{"@redact: removed"}},
		"directive on server's place":   {" | MUTATION | OBJECT", " | MUTATION", nil},
		"directive's location removed":  {"QUERY | MUTATION", "QUERY", []string{"@redact: no longer allowed on MUTATION"}},
		"directive's location added":    {"QUERY | MUTATION", "QUERY | MUTATION | FIELD", nil},
		"directive no more repeatable":  {"repeatable ", "", []string{"@redact: no longer repeatable"}},
		"directive's argument removed":  {"why: String, ", "", []string{"@redact(why:): removed" + undeprecated}},
		"directive's argument required": {"why: String,", "why: String!,", []string{"@redact(why:): type changed from String to String!"}},
		"directive's required argument": {"why: String,", "why: String, who: ID!,", []string{"@redact(who:): added and required"}},
		"directive's default":           {"how: Int = 1", "how: Int = 2", []string{"@redact(how:): default changed from 1 to 2"}},
		"directive of the server":       {"directive @server on OBJECT", "directive @creates(t: ID!) on OBJECT", nil},

		"type closed to some":      {"@access(to: CIRCLE)", "@access(to: TREATING)", []string{"Patient: ADMIN loses access"}},
		"type opened to more":      {"@access(to: CIRCLE)", "@access(to: PUBLIC)", []string{"+Patient: ANYONE gains access"}},
		"type gets a rule":         {"type Doctor implements Node", "type Doctor implements Node @access(to: SIGNED_IN)", []string{"Doctor: ANYONE loses access"}},
		"type loses its rule":      {"@access(to: CIRCLE)", "", []string{"+Patient: ANYONE gains access"}},
		"root field closed":        {"patient(id: ID!): Patient @access(to: SIGNED_IN)", "patient(id: ID!): Patient @access(to: ADMINS)", []string{"Query.patient: SIGNED_IN loses access"}},
		"root field opened":        {"changes: Int @access(to: ADMINS)", "changes: Int @access(to: PUBLIC)", []string{"+Subscription.changes: ANYONE gains access"}},
		"root field without rule":  {"changes: Int @access(to: ADMINS)", "changes: Int", []string{"Subscription.changes: ADMIN loses access"}},
		"read by fewer":            {"read: CIRCLE, write", "read: OWNERS, write", []string{"Patient.name: DOCTOR, ADMIN loses read"}},
		"read by more":             {"read: CIRCLE, write", "read: SIGNED_IN, write", []string{"+Patient.name: SIGNED_IN gains read"}},
		"read by others":           {"read: TREATING", "read: ADMINS", []string{"Patient.gender: DOCTOR, OWNER loses read", "+Patient.gender: ADMIN gains read"}},
		"field gets a rule":        {"tags: [String]", "tags: [String] @owner(read: CIRCLE)", []string{"Patient.tags: ANYONE loses read"}},
		"field loses its rule":     {"@owner(read: TREATING)", "", []string{"+Patient.gender: ANYONE gains read"}},
		"set by fewer":             {"write: OWNERS", "write: NOBODY", []string{"Patient.name: OWNER loses write"}},
		"set by nobody by default": {", write: OWNERS", "", []string{"Patient.name: OWNER loses write"}},
		"set by more":              {"write: OWNERS", "write: TREATING", []string{"+Patient.name: DOCTOR gains write"}},
		"same relations":           {"read: TREATING)", "read: CARING)", nil},
		"audience admits fewer":    {"[OWNER, DOCTOR, ADMIN]", "[OWNER]", []string{"Audience.CIRCLE: DOCTOR, ADMIN loses admission"}},
		"audience admits more":     {"[DOCTOR, OWNER]", "[DOCTOR, OWNER, ADMIN]", []string{"+Audience.TREATING: ADMIN gains admission"}},
		"audience renamed":         {"  TREATING @", "  CARING @", nil},
		"audience of no relation":  {"NOBODY @admits(relations: [])", "NOBODY", nil},
		"audience unknown":         {"read: TREATING", "read: UNKNOWN", []string{"Patient.gender: DOCTOR, OWNER loses read"}},
		"relation added":           {"OWNER DOCTOR ADMIN }", "OWNER DOCTOR ADMIN NURSE }", []string{"+Relation.NURSE: new value that clients may get"}},

		"text: lower max":      {"@text(max: 100)", "@text(max: 50)", []string{"Patient.name: @text(max:) changed from 100 to 50"}},
		"text: higher max":     {"@text(max: 100)", "@text(max: 500)", nil},
		"text: new min":        {"@text(max: 100)", "@text(min: 2, max: 100)", []string{"Patient.name: @text(min:) changed from 0 to 2"}},
		"text: input":          {"@text(min: 1, max: 100)", "@text(min: 2, max: 10)", []string{"Create.name: @text(min:) changed from 1 to 2", "Create.name: @text(max:) changed from 100 to 10"}},
		"text: without min":    {"directive @text(min: Int! = 0, max", "directive @text(max", nil},
		"text: appears":        {"tags: [String]", "tags: [String] @text(max: 5)", nil},
		"range: narrower":      {"@range(min: 0, max: 130)", "@range(min: 1, max: 120)", []string{"Patient.age: @range(min:) changed from 0 to 1", "Patient.age: @range(max:) changed from 130 to 120"}},
		"range: wider":         {"@range(min: 0, max: 130)", "@range(min: -1, max: 131)", nil},
		"description":          {"age: Int!", `"Completed years." age: Int!`, nil},
		"deprecation":          {"age: Int!", "age: Int! @deprecated", nil},
		"field and type added": {"age: Int!", "size: Int age: Int!", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := clinic
			for _, edit := range [][2]string{{test.old, test.new}, also[name]} {
				if edit[0] != "" && strings.Count(clinic, edit[0]) != 1 {
					t.Fatalf("the schema has not one %q", edit[0])
				}
				changed = strings.Replace(changed, edit[0], edit[1], 1)
			}
			var got []string
			for _, c := range compare(parse(t, clinic), parse(t, changed)) {
				line := c.at + ": " + c.what
				if c.widens {
					line = "+" + line
				}
				if c.undeprecated {
					line += undeprecated
				}
				got = append(got, line)
			}
			slices.Sort(got)
			slices.Sort(test.want)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func parse(t *testing.T, text string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: t.Name(), Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
