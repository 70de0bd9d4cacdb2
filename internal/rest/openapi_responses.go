package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// refusals are the names of what is answered when all is not well.
func refusals() map[int]string {
	return map[int]string{
		http.StatusBadRequest:            "Invalid",
		http.StatusUnauthorized:          "Unauthorized",
		http.StatusForbidden:             "Forbidden",
		http.StatusNotFound:              "NotFound",
		http.StatusNotAcceptable:         "NotAcceptable",
		http.StatusConflict:              "InProgress",
		http.StatusPreconditionFailed:    "PreconditionFailed",
		http.StatusRequestEntityTooLarge: "TooLarge",
		http.StatusUnsupportedMediaType:  "UnsupportedMediaType",
		http.StatusUnprocessableEntity:   "KeyReused",
		http.StatusTooManyRequests:       "TooManyRequests",
		http.StatusInternalServerError:   "Failed",
		http.StatusServiceUnavailable:    "Unavailable",
	}
}

// responses are all statuses of a row, in order.
func (d *description) responses(c call) object {
	all := object{d.success(c)}
	names := refusals()
	if c.method == http.MethodGet && c.isTagged() {
		all = append(all, member{"304", object{{"description", "The record still has the version in `If-None-Match`."}, {"headers", headerReferences("ETag")}}})
	}
	for _, status := range d.statuses(c) {
		if name := names[status]; name != "" {
			all = append(all, member{strconv.Itoa(status), reference("responses", name)})
		}
	}
	return append(all, member{"default", reference("responses", "Refused")})
}

// success describes the answer when all is well.
func (d *description) success(c call) member {
	response := object{{"description", http.StatusText(c.status)}}
	if headers := c.answerHeaders(); len(headers) > 0 {
		response = append(response, member{"headers", headers})
	}
	if c.status != http.StatusNoContent {
		schema, sample := d.answerSchema(c)
		response = append(response, member{"content", object{{mediaJSON, object{{"schema", schema}, {"example", sample}}}}})
	}
	return member{strconv.Itoa(c.status), response}
}

// statuses are those of refusals: of the codes that the schema names for the
// root field, and of what every row refuses.
func (d *description) statuses(c call) []int {
	found := []int{
		http.StatusNotAcceptable, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable,
	}
	hasID := path(c.path).hasID()
	if len(c.inputs) > 0 {
		found = append(found, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if !c.public || c.refusesBadToken || c.check != nil {
		found = append(found, http.StatusUnauthorized)
	}
	if hasID {
		found = append(found, http.StatusNotFound)
	}
	if c.hasKey() {
		found = append(found, http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	for _, o := range d.outcomes(c) {
		// An unknown id in the body is an error of its field.
		if o.status != http.StatusNotFound || hasID {
			found = append(found, o.status)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// outcomes are those of the codes in the root field's @userErrors.
func (d *description) outcomes(c call) (all []outcome) {
	if c.field == nil {
		return nil
	}
	directive := c.field.Definition.Directives.ForName("userErrors")
	if directive == nil {
		return nil
	}
	for _, code := range directive.Arguments.ForName("codes").Value.Children {
		o, _ := outcomeOf(code.Value.Raw)
		if o.status != http.StatusPreconditionFailed || c.conditional {
			all = append(all, o)
		}
	}
	return all
}

func headerReferences(names ...string) (all object) {
	for _, name := range names {
		all = append(all, member{name, reference("headers", name)})
	}
	return all
}

// parameters are the id in the path and the headers that the row looks at.
func (d *description) parameters(c call) (all []any) {
	for _, name := range placeholders.FindAllStringSubmatch(c.path, -1) {
		all = append(all, object{
			{"name", name[1]},
			{"in", "path"},
			{"required", true},
			{"description", "The number of the " + strings.ToLower(d.subject(c)) + "."},
			{"schema", object{{"type", "integer"}, {"minimum", 1}}},
			{"example", 1},
		})
	}
	if c.conditional {
		all = append(all, d.Parameters["If-Match"])
	}
	if c.hasKey() {
		all = append(all, d.Parameters[keyHeader])
	}
	if c.method == http.MethodGet && c.isTagged() {
		all = append(all, d.Parameters["If-None-Match"])
	}
	return all
}

// isTagged says whether the answer has an ETag.
func (c call) isTagged() bool { return c.status != http.StatusNoContent && c.root.has(etag) }

// hasKey says whether the row changes records, and so takes an Idempotency-Key.
func (c call) hasKey() bool { return c.method != http.MethodGet && path(c.path).tag() != "auth" }

// answerHeaders are those that come when all is well.
func (c call) answerHeaders() object {
	var names []string
	if c.isTagged() {
		names = append(names, "ETag")
	}
	if c.located {
		names = append(names, "Location")
	}
	if c.hasKey() {
		names = append(names, "Idempotency-Replayed")
	}
	return headerReferences(names...)
}
