package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// change is one difference between two schemas that clients may notice.
type change struct {
	at, what     string // a schema coordinate, and what happened there
	widens       bool   // clients get more than before
	undeprecated bool   // it removes what was not deprecated before
}

// sections returns the headings of the changelog that may name the change.
func (c change) sections() []string {
	if c.widens {
		return []string{"Changed", "Added"}
	}
	return []string{"Changed", "Removed"}
}

// comparison collects the changes from one schema to another.
type comparison struct {
	was, now *ast.Schema
	changes  []change
}

// compare returns the changes from one schema to the next. It leaves out
// what no client notices: other additions, descriptions, deprecations and the
// directives that only the server reads.
func compare(was, now *ast.Schema) []change {
	c := comparison{was: was, now: now}
	c.root("query", was.Query, now.Query)
	c.root("mutation", was.Mutation, now.Mutation)
	c.root("subscription", was.Subscription, now.Subscription)
	for _, name := range slices.Sorted(maps.Keys(was.Types)) {
		switch before, after := was.Types[name], now.Types[name]; {
		case name == audienceEnum:
			c.audiences(before, after)
		case after == nil:
			c.breaking(name, "removed")
		case before.Kind != after.Kind:
			c.breaking(name, "kind changed from %s to %s", before.Kind, after.Kind)
		default:
			c.definition(before, after)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was.Directives)) {
		if slices.ContainsFunc(was.Directives[name].Locations, executable) {
			c.directive(was.Directives[name], now.Directives[name])
		}
	}
	return c.changes
}

func (c *comparison) breaking(at, format string, args ...any) {
	c.changes = append(c.changes, change{at: at, what: fmt.Sprintf(format, args...)})
}

func (c *comparison) widening(at, format string, args ...any) {
	c.changes = append(c.changes, change{at: at, what: fmt.Sprintf(format, args...), widens: true})
}

// removed adds the removal of something that could have been deprecated first.
func (c *comparison) removed(at string, directives ast.DirectiveList) {
	c.changes = append(c.changes, change{at: at, what: "removed", undeprecated: directives.ForName("deprecated") == nil})
}

// root compares the type of one kind of operation. If the type is gone, compare
// says so.
func (c *comparison) root(operation string, was, now *ast.Definition) {
	if was != nil && c.now.Types[was.Name] != nil && (now == nil || now.Name != was.Name) {
		c.breaking(was.Name, "no longer the root of %s operations", operation)
	}
}

func (c *comparison) definition(was, now *ast.Definition) {
	for _, name := range missing(was.Interfaces, now.Interfaces) {
		c.breaking(was.Name, "no longer implements %s", name)
	}
	for _, name := range missing(was.Types, now.Types) {
		c.breaking(was.Name, "no longer has the member %s", name)
	}
	for _, name := range missing(now.Types, was.Types) {
		c.widening(was.Name, "has the new member %s", name)
	}
	c.values(was, now)
	c.right(was.Name, "access", "access", "to", everyone, was.Directives, now.Directives)
	if was.Kind == ast.InputObject {
		c.inputs(was.Name+".%s", inputsOf(was), inputsOf(now))
		return
	}
	for _, before := range was.Fields {
		at, after := was.Name+"."+before.Name, now.Fields.ForName(before.Name)
		if strings.HasPrefix(before.Name, "__") {
			continue // every root of queries has __schema and __type
		}
		if after == nil {
			c.removed(at, before.Directives)
			continue
		}
		if !after.Type.IsCompatible(before.Type) {
			c.breaking(at, "type changed from %s to %s", before.Type, after.Type)
		}
		c.inputs(at+"(%s:)", before.Arguments, after.Arguments)
		c.limits(at, before.Directives, after.Directives)
		c.right(at, "access", "access", "to", nobody, before.Directives, after.Directives)
		c.right(at, "read", "owner", "read", everyone, before.Directives, after.Directives)
		c.right(at, "write", "owner", "write", nobody, before.Directives, after.Directives)
	}
}

// inputs compares arguments or input fields. The pattern makes coordinates of
// their names.
func (c *comparison) inputs(pattern string, was, now ast.ArgumentDefinitionList) {
	for _, before := range was {
		at, after := fmt.Sprintf(pattern, before.Name), now.ForName(before.Name)
		if after == nil {
			c.removed(at, before.Directives)
			continue
		}
		if !before.Type.IsCompatible(after.Type) {
			c.breaking(at, "type changed from %s to %s", before.Type, after.Type)
		}
		if before, after := before.DefaultValue.String(), after.DefaultValue.String(); before != after {
			c.breaking(at, "default changed from %s to %s", before, after)
		}
		c.limits(at, before.Directives, after.Directives)
	}
	for _, after := range now {
		if was.ForName(after.Name) == nil && after.Type.NonNull && after.DefaultValue == nil {
			c.breaking(fmt.Sprintf(pattern, after.Name), "added and required")
		}
	}
}

// values compares the values of an enum.
func (c *comparison) values(was, now *ast.Definition) {
	for _, before := range was.EnumValues {
		if now.EnumValues.ForName(before.Name) == nil {
			c.removed(was.Name+"."+before.Name, before.Directives)
		}
	}
	for _, after := range now.EnumValues {
		if was.EnumValues.ForName(after.Name) == nil && !c.onlySent(was.Name) {
			c.widening(was.Name+"."+after.Name, "new value that clients may get")
		}
	}
}

// onlySent reports whether clients send the type and never get it. They get
// ErrorCode, which no field has, in the errors of an answer.
func (c *comparison) onlySent(name string) bool {
	sent := false
	for _, d := range c.was.Types {
		for _, f := range d.Fields {
			isType := f.Type.Name() == name
			if isType && d.Kind != ast.InputObject {
				return false
			}
			sent = sent || isType || slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.Name() == name })
		}
	}
	return sent
}

// directive compares a directive that clients may write.
func (c *comparison) directive(was, now *ast.DirectiveDefinition) {
	at := "@" + was.Name
	if now == nil {
		c.breaking(at, "removed")
		return
	}
	if was.IsRepeatable && !now.IsRepeatable {
		c.breaking(at, "no longer repeatable")
	}
	for _, location := range missing(was.Locations, now.Locations) {
		if executable(location) {
			c.breaking(at, "no longer allowed on %s", location)
		}
	}
	c.inputs(at+"(%s:)", was.Arguments, now.Arguments)
}

// executable reports whether the location is in a client's document.
func executable(location ast.DirectiveLocation) bool {
	switch location {
	case ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
		ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition:
		return true
	default:
		return false
	}
}

// inputsOf returns the fields of an input object as arguments.
func inputsOf(d *ast.Definition) ast.ArgumentDefinitionList {
	var list ast.ArgumentDefinitionList
	for _, f := range d.Fields {
		list = append(list, &ast.ArgumentDefinition{Name: f.Name, Type: f.Type, DefaultValue: f.DefaultValue, Directives: f.Directives})
	}
	return list
}

// missing returns the elements of list that are not in other.
func missing[T comparable](list, other []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(e T) bool { return slices.Contains(other, e) })
}
