package policy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

const (
	all      = model.Anyone | signedIn
	signedIn = model.AllRelations &^ model.Anyone
	circle   = model.Owner | model.Self | model.AssignedDoctor | model.Admin | model.Team | model.TeamClinical | model.TeamDesk
	treaters = model.Owner | model.AssignedDoctor | model.TeamClinical
	clinical = treaters | model.Self
)

// realSchema loads schema.graphqls. Each test has its own, because tests change it.
func realSchema(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, "schema.graphqls", string(text))
}

func load(t *testing.T, name, text string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func compile(t *testing.T, schema *ast.Schema) *model.Policy {
	t.Helper()
	policy, err := Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

func TestCompile_RealSchemaMeansWhatItSays(t *testing.T) {
	t.Parallel()
	policy := compile(t, realSchema(t))

	masks := []struct {
		name      string
		got, want model.Relations
	}{
		{"audience PUBLIC", policy.Audiences["PUBLIC"], all},
		{"audience SIGNED_IN", policy.Audiences["SIGNED_IN"], signedIn},
		{"audience CLINICAL", policy.Audiences["CLINICAL"], clinical},
		{"audience NOBODY", policy.Audiences["NOBODY"], 0},
		{"a patient exists for", policy.Types["Patient"].Exists, circle},
		{"a user exists for", policy.Types["User"].Exists, model.Self | model.Related | model.Admin},
		{"Patient.medicalHistory read", policy.Types["Patient"].Fields["medicalHistory"].Read, clinical},
		{"Patient.medicalHistory write", policy.Types["Patient"].Fields["medicalHistory"].Write, treaters},
		{"Patient.phone read", policy.Types["Patient"].Fields["phone"].Read, circle},
		{"Patient.phone write", policy.Types["Patient"].Fields["phone"].Write, model.Owner | model.Self | model.TeamDesk},
		{"Patient.age write, by the directive's default", policy.Types["Patient"].Fields["age"].Write, 0},
		{"Doctor.name read", policy.Types["Doctor"].Fields["name"].Read, signedIn},
		{"Doctor.isVerified write", policy.Types["Doctor"].Fields["isVerified"].Write, model.Admin},
		{"User.email read", policy.Types["User"].Fields["email"].Read, model.Self | model.Admin},
		{"Query.me", policy.Roots["Query.me"], signedIn},
		{"Mutation.login", policy.Roots["Mutation.login"], all},
		{"Mutation.verifyDoctor", policy.Roots["Mutation.verifyDoctor"], model.Admin},
	}
	for _, m := range masks {
		if m.got != m.want {
			t.Errorf("%s = %v, want %v", m.name, m.got.Names(), m.want.Names())
		}
	}
}

func TestCompile_RealSchemaNamesRecordsAndInputsInOrder(t *testing.T) {
	t.Parallel()
	policy := compile(t, realSchema(t))

	if order := policy.Types["User"].Order; !slices.Equal(order[:3], []string{"id", "username", "role"}) {
		t.Errorf("User.Order = %v", order)
	}
	inputs := map[string][]string{
		"User": {"username", "phone"},
		"Patient": {
			"name", "dateOfBirth", "gender", "email", "phone", "address",
			"emergencyContact", "bloodGroup", "medicalHistory", "recordNumber", "abhaNumber",
		},
		"Doctor": {
			"name", "email", "phone", "specialization", "licenseNumber", "experienceYears",
			"address", "consultationFee", "availability", "isVerified", "account",
		},
		"Mapping":       {"notes"},
		"SecurityEvent": {}, "Notice": {}, "Grant": {}, "Transfer": {}, "Session": {},
	}
	for name, want := range inputs {
		if got := policy.Types[name].Inputs; !slices.Equal(got, want) {
			t.Errorf("%s.Inputs = %v, want %v", name, got, want)
		}
	}
	for name := range policy.Types {
		if _, ok := inputs[name]; !ok {
			t.Errorf("%s is a record, but no test says so", name)
		}
	}
}

func TestCompile_AdministratorReadsNoClinicalTextByRoleAlone(t *testing.T) {
	t.Parallel()
	policy := compile(t, realSchema(t))
	admin := model.Anyone | model.SignedIn | model.Admin

	for _, field := range []string{"medicalHistory", "bloodGroup", "emergencyContact"} {
		if policy.Field("Patient", field).CanRead(admin) {
			t.Errorf("Patient.%s is open to administrators", field)
		}
	}
	if policy.Field("Mapping", "notes").CanRead(admin) {
		t.Error("Mapping.notes is open to administrators")
	}
}

func TestCompile_RootFieldWithoutAccessIsClosed(t *testing.T) {
	t.Parallel()
	schema := realSchema(t)
	schema.Query.Fields.ForName("patients").Directives = nil
	policy := compile(t, schema)

	if policy.CanCall("Query.patients", all) {
		t.Error("Query.patients can be called without @access")
	}
	if policy.CanCall("Query.__schema", all) {
		t.Error("introspection is in the policy")
	}
	if !policy.CanCall("Query.patient", signedIn) {
		t.Error("Query.patient is closed though it has @access")
	}
}

// small is a valid schema. Each case of the next test adds one error.
const small = `
directive @access(to: Audience!) on FIELD_DEFINITION | OBJECT
directive @owner(read: Audience!, write: Audience! = NOBODY) on FIELD_DEFINITION
directive @admits(relations: [Relation!]!) on ENUM_VALUE
directive @creates(type: String!, except: [String!]! = []) on INPUT_OBJECT
directive @updates(type: String!) on INPUT_OBJECT
enum Relation { ANYONE SIGNED_IN SELF OWNER ASSIGNED_DOCTOR ADMIN TEAM TEAM_CLINICAL TEAM_DESK RELATED }
enum Audience {
  PUBLIC @admits(relations: [ANYONE])
  MEMBERS @admits(relations: [SIGNED_IN])
  SELF @admits(relations: [SELF])
  OWNER @admits(relations: [OWNER])
  CIRCLE @admits(relations: [OWNER, ADMIN])
  ADMINS @admits(relations: ADMIN)
  NOBODY @admits(relations: [])
  UNUSED
}
interface Node { id: ID! }
type Note implements Node @access(to: CIRCLE) {
  id: ID! @owner(read: CIRCLE)
  text: String @owner(read: OWNER, write: OWNER)
  approver: Person @owner(read: CIRCLE, write: ADMINS)
}
type Person @access(to: MEMBERS) { name: String! @owner(read: MEMBERS) }
type Plain { text: String }
type Account @access(to: MEMBERS) {
  name: String! @owner(read: MEMBERS, write: SELF)
  email: String @owner(read: MEMBERS)
  active: Boolean @owner(read: MEMBERS, write: ADMINS)
}
type Tag @access(to: CIRCLE) {
  note: Note @owner(read: CIRCLE)
  label: String @owner(read: CIRCLE, write: OWNER)
}
type Session { token: String }
type NotePayload { note: Note problems: [String!] }
type TagPayload { tag: Tag }
type SessionPayload { account: Account session: Session }
input CreateNoteInput @creates(type: "Note", except: ["draft"]) { text: String draft: Boolean }
input UpdateNoteInput @updates(type: "Note") { text: String }
input ApproveNoteInput @updates(type: "Note") { approverId: ID }
input AddTagInput @creates(type: "Tag") { noteId: ID label: String }
input RegisterInput @creates(type: "Account", except: "password") { name: String! email: String password: String }
input LoginInput { email: String password: String }
type Query { note: Note }
type Mutation {
  createNote(input: CreateNoteInput!): NotePayload @access(to: MEMBERS)
  updateNote(input: UpdateNoteInput!): NotePayload @access(to: MEMBERS)
  verifyNote(input: ApproveNoteInput!): NotePayload @access(to: ADMINS)
  updateNothing: NotePayload @access(to: MEMBERS)
  addTag(input: AddTagInput!): TagPayload @access(to: MEMBERS)
  register(input: RegisterInput!): SessionPayload @access(to: PUBLIC)
  login(input: LoginInput!): SessionPayload @access(to: PUBLIC)
}
`

func TestCompile_SmallSchemaIsAccepted(t *testing.T) {
	t.Parallel()
	policy := compile(t, load(t, "small", small))

	if got := policy.Types["Note"].Inputs; !slices.Equal(got, []string{"text", "approver"}) {
		t.Errorf("Note.Inputs = %v", got)
	}
	if policy.Audiences["ADMINS"] != model.Admin {
		t.Error("a single relation without brackets was not read")
	}
	if _, ok := policy.Audiences["UNUSED"]; ok {
		t.Error("an audience without @admits is in the policy")
	}
}

func TestCompile_InputsCountInTheOrderOfMutation(t *testing.T) {
	t.Parallel()
	schema := load(t, "small", small)
	slices.Reverse(schema.Mutation.Fields)
	if got := compile(t, schema).Types["Note"].Inputs; !slices.Equal(got, []string{"approver", "text"}) {
		t.Errorf("Note.Inputs = %v", got)
	}
}

func TestCompile_RefusesMistakesByName(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, old, replacement, want string }{
		{
			"field of a record without policy", "text: String @owner(read: OWNER, write: OWNER)", "text: String",
			"Note.text: has no @owner, though Note has @access",
		},
		{
			"node without access", "type Plain { text", "type Plain implements Node { id: ID! text",
			"Plain: implements Node but has no @access",
		},
		{
			"owner outside a record", "type Plain { text: String }", "type Plain { text: String @owner(read: PUBLIC) }",
			"Plain.text: @owner has no meaning here: Plain has no @access",
		},
		{
			"owner on an interface", "interface Node { id: ID! }", "interface Node { id: ID! @owner(read: PUBLIC) }",
			"Node.id: @owner has no meaning here",
		},
		{
			"owner on a root field", "{ note: Note }", "{ note: Note @owner(read: PUBLIC) }",
			"Query.note: @owner has no meaning here: it is a root field",
		},
		{
			"access on a field of a record", "name: String! @owner(read: MEMBERS)", "name: String! @owner(read: MEMBERS) @access(to: MEMBERS)",
			"Person.name: @access has no meaning here: it is no root field",
		},
		{
			"access on a field of a plain type", "type Plain { text: String }", "type Plain { text: String @access(to: MEMBERS) }",
			"Plain.text: @access has no meaning here",
		},
		{
			"non-null field hidden", "text: String @owner", "text: String! @owner",
			"Note.text: is non-null, but hidden from ADMIN, who can see the record",
		},
		{
			"blind write", "@owner(read: OWNER, write: OWNER)", "@owner(read: OWNER, write: CIRCLE)",
			"Note.text: may be written by ADMIN, who cannot read it",
		},
		{
			"blind write by closure", "@owner(read: OWNER, write: OWNER)", "@owner(read: MEMBERS, write: PUBLIC)",
			"Note.text: may be written by ANYONE, who cannot read it",
		},
		{
			"update without write", `@updates(type: "Note") { text: String }`, `@updates(type: "Note") { id: ID }`,
			"Note.id: is set by UpdateNoteInput.id, but nobody may write it",
		},
		{
			"update of nothing", `@updates(type: "Note") { text: String }`, `@updates(type: "Note") { color: String }`,
			"UpdateNoteInput.color: Note has no such field",
		},
		{
			"verify without write", "approver: Person @owner(read: CIRCLE, write: ADMINS)", "approver: Person @owner(read: CIRCLE)",
			"Note.approver: is set by ApproveNoteInput.approverId, but nobody may write it",
		},
		{
			"verify of nothing", "{ approverId: ID }", "{ managerId: ID }",
			"ApproveNoteInput.managerId: Note has no such field",
		},
		{
			"creation of what the owner cannot write", "{ text: String draft: Boolean }", "{ text: String draft: Boolean approverId: ID }",
			"Note.approver: is set by CreateNoteInput.approverId, but OWNER may not write it",
		},
		{
			"payload without record", "type NotePayload { note: Note", "type NotePayload { note: Plain",
			"Mutation.updateNote: its payload must have exactly one field whose type has @access, but has 0",
		},
		{
			"payload with two records", "type NotePayload { note: Note", "type NotePayload { note: Note person: Person",
			"Mutation.createNote: its payload must have exactly one field whose type has @access, but has 2",
		},
		{
			"creation of what the owner never writes", "{ text: String draft: Boolean }", "{ text: String draft: Boolean id: ID }",
			"Note.id: is set by CreateNoteInput.id, but OWNER may not write it",
		},
		{
			"account opened with what it cannot write", "{ name: String! email", "{ name: String! active: Boolean email",
			"Account.active: is set by RegisterInput.active, but SELF may not write it",
		},
		{
			"account opened by an account", "register(input: RegisterInput!): SessionPayload @access(to: PUBLIC)", "register(input: RegisterInput!): SessionPayload @access(to: MEMBERS)",
			"Account.email: is set by RegisterInput.email, but OWNER may not write it",
		},
		{
			"creation of nothing", "{ text: String draft: Boolean }", "{ text: String draft: Boolean color: String }",
			"CreateNoteInput.color: Note has no such field, and @creates(except:) does not name it",
		},
		{
			"exception that the input lacks", `except: ["draft"]`, `except: ["draft", "color"]`,
			"CreateNoteInput.color: @creates(except:) names it, but the input has no such field",
		},
		{
			"exception that is a field", `except: ["draft"]`, `except: ["draft", "text"]`,
			"CreateNoteInput.text: @creates(except:) names it, but it sets Note.text",
		},
		{
			"creation without directive", ` @creates(type: "Note", except: ["draft"])`, "",
			"CreateNoteInput: sets a record in Mutation.createNote, but has neither @creates nor @updates",
		},
		{
			"update without directive", ` @updates(type: "Note") { approverId`, " { managerId",
			"ApproveNoteInput: sets a record in Mutation.verifyNote, but has neither @creates nor @updates",
		},
		{
			"account opened without directive", ` @creates(type: "Account", except: "password")`, "",
			"RegisterInput: sets a record in Mutation.register, but has neither @creates nor @updates",
		},
		{
			"creation of another record", `input LoginInput {`, `input LoginInput @creates(type: "Note") {`,
			"Mutation.login: answers with Account, but its input LoginInput names Note",
		},
		{
			"both directives", `@updates(type: "Note") { text`, `@updates(type: "Note") @creates(type: "Note") { text`,
			"UpdateNoteInput: has both @creates and @updates",
		},
		{
			"creation of no record", `@creates(type: "Tag")`, `@creates(type: "Plain")`,
			`AddTagInput: @creates(type:) names "Plain", which is no type with @access`,
		},
		{
			"update of no type", `@updates(type: "Note") { text`, `@updates(type: "Nota") { text`,
			`UpdateNoteInput: @updates(type:) names "Nota", which is no type with @access`,
		},
		{
			"audience of a field without admits", "@owner(read: OWNER, write: OWNER)", "@owner(read: UNUSED)",
			"Note.text: @owner(read:) names the audience UNUSED, which has no @admits",
		},
		{
			"audience of a type without admits", "@access(to: CIRCLE)", "@access(to: UNUSED)",
			"Note: @access(to:) names the audience UNUSED, which has no @admits",
		},
		{
			"audience of a root field without admits", "{ note: Note }", "{ note: Note @access(to: UNUSED) }",
			"Query.note: @access(to:) names the audience UNUSED, which has no @admits",
		},
		{
			"audience by default without admits", "write: Audience! = NOBODY", "write: Audience! = UNUSED",
			"Note.id: @owner(write:) names the audience UNUSED, which has no @admits",
		},
		{
			"relation that model does not know", "TEAM_DESK RELATED }", "TEAM_DESK RELATED NURSE }",
			"Relation.NURSE: package model does not know this relation",
		},
		{
			"relation that the schema does not know", "TEAM_DESK RELATED }", "TEAM_DESK }",
			"Relation.RELATED: package model has this relation, the schema does not",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, small, c.old, c.replacement, c.want)
		})
	}
}

// expectRefusal compiles the schema with old replaced, and expects an error that holds want.
func expectRefusal(t *testing.T, schema, old, replacement, want string) {
	t.Helper()
	text := strings.Replace(schema, old, replacement, 1)
	if text == schema {
		t.Fatalf("the schema has no %q to replace", old)
	}
	policy, err := Compile(load(t, "mutated", text))
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v\nwant %s", err, want)
	}
	if policy != nil {
		t.Error("a schema with a mistake has a policy")
	}
}

// The parser refuses some of these; the compiler does not rely on it.
func TestCompile_RefusesUnknownNamesThatTheParserLetThrough(t *testing.T) {
	t.Parallel()
	schema := load(t, "small", small)
	for _, value := range schema.Types["Audience"].EnumValues {
		if value.Name == "OWNER" {
			value.Directives[0].Arguments[0].Value.Children[0].Value.Raw = "PORTER"
		}
		if value.Name == "CIRCLE" {
			value.Directives[0].Arguments = nil
		}
	}
	schema.Types["Person"].Fields.ForName("name").Directives[0].Arguments = nil

	_, err := Compile(schema)
	for _, want := range []string{
		"Audience.OWNER: @admits names the relation PORTER, which does not exist",
		"Audience.CIRCLE: @admits has no relations",
		"Person.name: @owner has no argument read",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v\nwant %s", err, want)
		}
	}
}

func TestCompile_WithoutAudiencesNothingIsOpen(t *testing.T) {
	t.Parallel()
	_, err := Compile(load(t, "bare", `type Query { a: Int }`))
	if err == nil || !strings.Contains(err.Error(), "Audience: the schema has no such enum") {
		t.Errorf("got error %v", err)
	}
}

func TestCompile_ListsAllMistakesOfTheRealSchema(t *testing.T) {
	t.Parallel()
	schema := realSchema(t)
	patient, doctor := schema.Types["Patient"], schema.Types["Doctor"]
	patient.Fields.ForName("phone").Directives = nil
	patient.Fields.ForName("medicalHistory").Type.NonNull = true
	doctor.Fields.ForName("name").Directives[0].Arguments.ForName("write").Value.Raw = "PUBLIC"
	schema.Types["Mapping"].Directives = nil

	_, err := Compile(schema)
	for _, want := range []string{
		"Patient.phone: has no @owner",
		"Patient.medicalHistory: is non-null, but hidden from ADMIN",
		"Doctor.name: may be written by ANYONE, who cannot read it",
		"Mapping: implements Node but has no @access",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v\nwant %s", err, want)
		}
	}
}
