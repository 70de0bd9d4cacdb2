// Package model holds the records of the clinic (users, patients, doctors, and
// mappings, which assign a doctor to a patient), their validation, the access
// policy, the viewer and the error type. It never uses a database, a network or a
// clock: the time is an argument.
package model

// Policy is the access policy of the schema. internal/policy compiles it at start
// from the directives @access, @owner and @admits. A mask with SIGNED_IN also has
// the bits of all relations that only a signed-in account can have, so that a mask
// test is a single AND. Everything that a Policy does not name is forbidden.
type Policy struct {
	// Audiences maps each value of the enum Audience to the relations it admits.
	Audiences map[Audience]Relations
	// Roots maps root fields, such as "Query.me", to the relations that may call them.
	Roots map[string]Relations
	// Types has the record types: the types with @access.
	Types map[string]TypePolicy
}

// Audience is a value of the schema's enum Audience.
type Audience string

// TypePolicy is the rule of one record type.
type TypePolicy struct {
	// Exists admits the callers who can see that a record of the type exists.
	Exists Relations
	// Fields maps each field to its rule.
	Fields map[string]FieldPolicy
	// Order lists the fields as the schema does.
	Order []string
	// Inputs lists, in the schema's order, the fields of the update inputs.
	Inputs []string
	// Constraints has the fields that an input sets.
	Constraints Constraints
}

// Constraints maps the fields of one record type to their constraints.
type Constraints map[string]Constraint

// params returns the bounds for the message of an error.
func (c Constraint) params() []ErrorParam {
	return []ErrorParam{IntParam("min", c.Min), IntParam("max", c.Max)}
}

// Constraint has the bounds of @text or @range, and whether a value is required. A
// field with neither directive has the bounds 0 and 0.
type Constraint struct {
	// Min and Max bound the number of characters of a text, or a number.
	Min, Max int
	// Required is set if the field, or an input field that sets it, is non-null.
	Required bool
}

// ReadableByAll reports whether everyone who has a record of the type may read
// the field.
func (t TypePolicy) ReadableByAll(field string) bool { return t.Exists.Within(t.Fields[field].Read) }

// FieldPolicy is the rule of one field. The zero rule admits no one.
type FieldPolicy struct {
	Read, Write Relations
}

// CanRead decides whether a value is shown. Both engines call it: the encoder
// of package plan and the directive @owner.
func (f FieldPolicy) CanRead(r Relations) bool { return r.Any(f.Read) }

// CanWrite decides whether a value may be set.
func (f FieldPolicy) CanWrite(r Relations) bool { return r.Any(f.Write) }

// CanCall reports whether a caller with the relations r may call a root field, such
// as "Mutation.login".
func (p *Policy) CanCall(root string, r Relations) bool { return p.Roots[root].Any(r) }

// Field returns the rule of a field of a type.
func (p *Policy) Field(typ, name string) FieldPolicy { return p.Types[typ].Fields[name] }

// Redacted returns the fields that are hidden from a caller with the relations r.
func (t TypePolicy) Redacted(r Relations) []string {
	return t.filter(t.Order, func(f FieldPolicy) bool { return !f.CanRead(r) })
}

// Writable returns the fields of the update inputs that a caller with the relations
// r may set.
func (t TypePolicy) Writable(r Relations) []string {
	return t.filter(t.Inputs, func(f FieldPolicy) bool { return f.CanWrite(r) })
}

func (t TypePolicy) filter(fields []string, keep func(FieldPolicy) bool) []string {
	kept := []string{}
	for _, name := range fields {
		if keep(t.Fields[name]) {
			kept = append(kept, name)
		}
	}
	return kept
}
