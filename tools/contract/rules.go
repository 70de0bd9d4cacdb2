package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// audienceEnum has the audiences that the directives of rules name. A client
// neither sends nor gets them, so only what they admit counts.
const audienceEnum = "Audience"

// Relations that stand for those with no directive. An empty list admits no one.
const (
	everyone = "ANYONE"
	nobody   = ""
)

// rule is an audience with the relations that it admits.
type rule struct {
	audience  string
	relations []string
}

// admits reports whether a caller with the relation meets the rule. ANYONE
// covers all relations; SIGNED_IN covers those that only an account can have.
func (r rule) admits(relation string) bool {
	return slices.Contains(r.relations, relation) || slices.Contains(r.relations, "ANYONE") ||
		relation != "ANYONE" && slices.Contains(r.relations, "SIGNED_IN")
}

// right compares a right, which an argument of a directive grants to an
// audience. Without the directive, those who have the relation in without hold it.
func (c *comparison) right(at, name, directive, argument, without string, was, now ast.DirectiveList) {
	ruleIn := func(s *ast.Schema, list ast.DirectiveList) rule {
		if value := argumentOf(s, list.ForName(directive), argument); value != nil && s.Types[audienceEnum] != nil {
			return audienceOf(s, s.Types[audienceEnum].EnumValues.ForName(value.Raw))
		}
		return rule{relations: strings.Fields(without)}
	}
	before, after := ruleIn(c.was, was), ruleIn(c.now, now)
	// If both name one audience, audiences reports what changed, once for all.
	if before.audience == "" || before.audience != after.audience {
		c.relations(at, name, before, after)
	}
}

// audiences compares what the audiences admit. One that is gone is no change by
// itself: the rules that used it name another one now.
func (c *comparison) audiences(was, now *ast.Definition) {
	for _, before := range was.EnumValues {
		if now == nil || now.EnumValues.ForName(before.Name) == nil {
			continue
		}
		after := now.EnumValues.ForName(before.Name)
		c.relations(was.Name+"."+before.Name, "admission", audienceOf(c.was, before), audienceOf(c.now, after))
	}
}

func (c *comparison) relations(at, right string, was, now rule) {
	if lost := slices.DeleteFunc(slices.Clone(was.relations), now.admits); len(lost) > 0 {
		c.breaking(at, "%s loses %s", strings.Join(lost, ", "), right)
	}
	if gained := slices.DeleteFunc(slices.Clone(now.relations), was.admits); len(gained) > 0 {
		c.widening(at, "%s gains %s", strings.Join(gained, ", "), right)
	}
}

// audienceOf returns the rule of an audience. One that is unknown admits no one.
func audienceOf(s *ast.Schema, value *ast.EnumValueDefinition) rule {
	if value == nil {
		return rule{}
	}
	r := rule{audience: value.Name}
	if relations := argumentOf(s, value.Directives.ForName("admits"), "relations"); relations != nil {
		for _, child := range relations.Children {
			r.relations = append(r.relations, child.Value.Raw)
		}
	}
	return r
}

// limits compares the limits of @text and @range. A directive that appears is no
// change: the server may have had the limit before without saying so.
func (c *comparison) limits(at string, was, now ast.DirectiveList) {
	for _, name := range []string{"text", "range"} {
		for _, bound := range []string{"min", "max"} {
			before, ok := number(argumentOf(c.was, was.ForName(name), bound))
			after, still := number(argumentOf(c.now, now.ForName(name), bound))
			if ok && still && (bound == "max" && after < before || bound == "min" && after > before) {
				c.breaking(at, "@%s(%s:) changed from %d to %d", name, bound, before, after)
			}
		}
	}
}

func number(value *ast.Value) (int, bool) {
	if value == nil {
		return 0, false
	}
	n, err := strconv.Atoi(value.Raw)
	return n, err == nil
}

// argumentOf returns the value of an argument of a directive, which may be its
// default. It returns nil without the directive.
func argumentOf(s *ast.Schema, d *ast.Directive, name string) *ast.Value {
	if d == nil {
		return nil
	}
	if a := d.Arguments.ForName(name); a != nil {
		return a.Value
	}
	if a := s.Directives[d.Name].Arguments.ForName(name); a != nil {
		return a.DefaultValue
	}
	return nil
}
