package model

// Policy is the access rule of the whole schema, compiled once at start-up by
// internal/policy from the directives @access, @owner and @admits. All masks
// are closed under implication: one that admits SIGNED_IN also has the bits of
// every relation that only a signed-in account can have, so that a mask test
// is a single AND. What a Policy does not name, nobody may see or do.
type Policy struct {
	// Audiences maps each value of the enum Audience to the relations it admits.
	Audiences map[Audience]Relations
	// Roots maps "Query.me" and its like to those who may call it.
	Roots map[string]Relations
	// Types has the record types: those with @access on the type.
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
	// Inputs lists, in the schema's order, the fields that an update input names.
	Inputs []string
	// Constraints maps each field that an input sets to what its value must meet.
	Constraints Constraints
}

// Constraints maps the fields of one record type to their constraints.
type Constraints map[string]Constraint

// Constraint is what the value of one field must meet: the directives @text and
// @range of the schema, and whether it may be absent. A field with neither
// directive has the bounds 0 and 0.
type Constraint struct {
	// Min and Max bound the number of characters of a text, or a number.
	Min, Max int
	// Required is set when the field or an input field that sets it is non-null.
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

// CanCall reports whether a caller who stands in r may call a root field,
// named as in "Mutation.login".
func (p *Policy) CanCall(root string, r Relations) bool { return p.Roots[root].Any(r) }

// Field returns the rule of a field of a type.
func (p *Policy) Field(typ, name string) FieldPolicy { return p.Types[typ].Fields[name] }

// Redacted returns the fields of the type hidden from a caller who stands in r.
func (t TypePolicy) Redacted(r Relations) []string {
	return t.filter(t.Order, func(f FieldPolicy) bool { return !f.CanRead(r) })
}

// Writable returns the fields of the type's update inputs that a caller who
// stands in r may set.
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
