package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// conditions are the preconditions of a request (RFC 9110, 13), which compare
// the version of the record.
type conditions struct {
	// match and noneMatch are the entity tags of If-Match and If-None-Match;
	// nil without such a header.
	match, noneMatch []string
}

func readConditions(header http.Header) conditions {
	return conditions{tags(header.Values("If-Match")), tags(header.Values("If-None-Match"))}
}

// tags splits lists at their commas. Our tags contain no comma, and no part of
// a foreign tag equals one of our tags.
func tags(values []string) (all []string) {
	for _, value := range values {
		for tag := range strings.SplitSeq(value, ",") {
			all = append(all, strings.TrimSpace(tag))
		}
	}
	return all
}

// matched evaluates If-Match, which compares strongly: a weak tag matches
// nothing.
func (c conditions) matched(etag string) bool {
	return c.match == nil || slices.Contains(c.match, "*") || slices.Contains(c.match, etag)
}

// changed evaluates If-None-Match, which compares weakly.
func (c conditions) changed(etag string) bool {
	return !slices.ContainsFunc(c.noneMatch, func(tag string) bool {
		return tag == "*" || strings.TrimPrefix(tag, "W/") == etag
	})
}

// check applies the conditions to the answer to a GET of the record.
func (c conditions) check(found *answer) *answer {
	switch {
	case found.etag == "" || found.status != http.StatusOK:
		return found
	case !c.matched(found.etag):
		return detail(http.StatusPreconditionFailed, "The record has another version by now.")
	case !c.changed(found.etag):
		return &answer{status: http.StatusNotModified, etag: found.etag}
	default:
		return found
	}
}

// noVersion is a version that no record has.
const noVersion = -1

// maxAttempts is how often a conditional change is tried while others change
// the record.
const maxAttempts = 3

// change runs a mutation under the conditions. The graph compares versions at
// the moment of the change, but accepts only one version. If the conditions
// name none or several, change first sends noVersion. The graph refuses it and
// returns the record's version; if that meets the conditions, change tries
// again with it.
func (c conditions) change(variables map[string]any, run func() *answer) *answer {
	expected, final := c.expected()
	if expected != nil {
		variables[versionVariable] = *expected
	}
	got := run()
	for range maxAttempts - 1 {
		if final || got.status != http.StatusPreconditionFailed || !c.matched(got.etag) || !c.changed(got.etag) {
			return got
		}
		version, ok := versionOf(got.etag)
		if !ok {
			return got
		}
		variables[versionVariable] = version
		got = run()
	}
	return got
}

// expected returns the first version to try; final says that no other version
// can succeed.
func (c conditions) expected() (version *int, final bool) {
	switch {
	case c.noneMatch == nil && (c.match == nil || slices.Contains(c.match, "*")):
		return nil, true
	case c.noneMatch == nil && len(c.match) == 1:
		if only, ok := versionOf(c.match[0]); ok {
			return &only, true
		}
	}
	none := noVersion
	return &none, false
}

// versionOf parses a tag in our format.
func versionOf(etag string) (version int, ok bool) {
	number, err := strconv.ParseInt(strings.Trim(etag, `"`), 10, 32)
	return int(number), err == nil && etag == `"`+strconv.FormatInt(number, 10)+`"`
}
