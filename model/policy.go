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
	// Exists admits those for whom a record of the type exists at all.
	Exists Relations
	// Fields maps each field to its rule.
	Fields map[string]FieldPolicy
	// Order lists the fields as the schema does.
	Order []string
	// Inputs lists, in the schema's order, the fields that an update input names.
	Inputs []string
}

// FieldPolicy is the rule of one field.
type FieldPolicy struct {
	Read, Write Relations
}

// CanCall reports whether a caller who stands in r may call a root field,
// named as in "Mutation.login".
func (p *Policy) CanCall(root string, r Relations) bool { return p.Roots[root].Any(r) }

// CanRead reports whether a caller who stands in r to a record of the type may
// see the field.
func (p *Policy) CanRead(typ, field string, r Relations) bool {
	return p.Types[typ].Fields[field].Read.Any(r)
}

// CanWrite is CanRead for setting the field.
func (p *Policy) CanWrite(typ, field string, r Relations) bool {
	return p.Types[typ].Fields[field].Write.Any(r)
}

// Redacted returns the fields of the type hidden from a caller who stands in r.
func (t TypePolicy) Redacted(r Relations) []string {
	return t.filter(t.Order, func(f FieldPolicy) bool { return !f.Read.Any(r) })
}

// Writable returns the fields of the type's update inputs that a caller who
// stands in r may set.
func (t TypePolicy) Writable(r Relations) []string {
	return t.filter(t.Inputs, func(f FieldPolicy) bool { return f.Write.Any(r) })
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
