package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// conditions are the preconditions of a request (RFC 9110, 13): what may be
// done depends on the version of the record.
type conditions struct {
	// match and noneMatch are the entity tags of If-Match and If-None-Match;
	// nil if there is no such header.
	match, noneMatch []string
}

func readConditions(header http.Header) conditions {
	return conditions{tags(header.Values("If-Match")), tags(header.Values("If-None-Match"))}
}

// tags splits lists at their commas. Tags of ours have none; what a tag of
// others is split into is no tag of ours.
func tags(values []string) (all []string) {
	for _, value := range values {
		for tag := range strings.SplitSeq(value, ",") {
			all = append(all, strings.TrimSpace(tag))
		}
	}
	return all
}

// matched is If-Match, which compares strongly: a weak tag matches nothing.
func (c conditions) matched(etag string) bool {
	return c.match == nil || slices.Contains(c.match, "*") || slices.Contains(c.match, etag)
}

// changed is If-None-Match, which compares weakly.
func (c conditions) changed(etag string) bool {
	return !slices.ContainsFunc(c.noneMatch, func(tag string) bool {
		return tag == "*" || strings.TrimPrefix(tag, "W/") == etag
	})
}

// check answers a GET of the record with the tag by the conditions.
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

// noVersion is the version of no record.
const noVersion = -1

// maxAttempts are how often a change under conditions is tried while the record
// is changed by others.
const maxAttempts = 3

// change runs a mutation under the conditions. The graph compares versions at
// the moment of the change, but takes one version only: if the conditions name
// none or several, a version that is none is refused with the one that the
// record has, and the conditions say whether to go on with that.
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

// expected is the version to begin with; constant says that no other one can
// do.
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

// versionOf reads a tag as we write it.
func versionOf(etag string) (version int, ok bool) {
	number, err := strconv.ParseInt(strings.Trim(etag, `"`), 10, 32)
	return int(number), err == nil && etag == `"`+strconv.FormatInt(number, 10)+`"`
}
