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
		http.StatusPreconditionFailed:    "PreconditionFailed",
		http.StatusRequestEntityTooLarge: "TooLarge",
		http.StatusUnsupportedMediaType:  "UnsupportedMediaType",
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
		all = append(all, o)
	}
	return all
}

func errorSchemas() object {
	text := object{{"type", "string"}}
	texts := object{{"type", "array"}, {"items", text}, {"minItems", 1}}
	return object{
		{"Faults", object{
			{"type", "object"},
			{"description", "All errors of the body, by field. `non_field_errors` has those that concern no single field."},
			{"additionalProperties", texts},
			{"minProperties", 1},
		}},
		{"Detail", object{
			{"type", "object"},
			{"description", "Why the whole request is refused, for people."},
			{"properties", object{{"detail", text}}},
			{"required", []string{"detail"}},
		}},
		{"TokenFault", object{
			{"type", "object"},
			{"description", "Why the caller is not signed in. With the code `token_not_valid` the client should refresh its token."},
			{"properties", object{
				{"detail", text},
				{"code", object{{"type", "string"}, {"enum", []string{tokenNotValid, "bad_authorization_header"}}}},
				{"messages", object{{"type", "array"}, {"items", object{
					{"type", "object"},
					{"properties", object{{"token_class", text}, {"token_type", text}, {"message", text}}},
					{"required", []string{"token_class", "token_type", "message"}},
				}}}},
			}},
			{"required", []string{"detail"}},
		}},
		{"Failure", object{
			{"type", "object"},
			{"description", "An error of the server. The server logs the cause under the request id."},
			{"properties", object{{"detail", text}, {"request_id", object{{"type", []string{"string", "null"}}}}}},
			{"required", []string{"detail"}},
		}},
	}
}

func errorResponses() object {
	detail := func(description, example string) object {
		return refused(description, "Detail", object{{"detail", example}})
	}
	retry := detail("Too many requests, or too many failures to sign in. Wait, then try again.", "Too many attempts. Try again in 8 seconds.")
	authenticate := refused("There is no valid access token, or the credentials are wrong.", "TokenFault", object{
		{"detail", "Given token not valid for any token type"},
		{"code", tokenNotValid},
		{"messages", []any{object{
			{"token_class", "AccessToken"}, {"token_type", "access"}, {"message", "Token is expired"},
		}}},
	})
	invalid := object{
		{"description", "The body is not valid, in some fields or as a whole."},
		{"content", object{{mediaJSON, object{
			{"schema", object{{"oneOf", []any{reference("schemas", "Faults"), reference("schemas", "Detail")}}}},
			{"examples", object{
				{"fields", object{{"value", object{{"email", []string{"Enter a valid email address."}}}}}},
				{"crossField", object{{"value", object{{nonField, []string{"The fields patient, doctor must make a unique set."}}}}}},
				{"malformed", object{{"value", object{{"detail", "JSON parse error - Unexpected text: line 1 column 10 (char 9)"}}}}},
			}},
		}}}},
	}
	return object{
		{"Invalid", invalid},
		{"Unauthorized", authenticate.with("headers", headerReferences("WWW-Authenticate"))},
		{"Forbidden", detail("The caller can see the record, but may not do this to it.", "You do not have permission to perform this action.")},
		{"NotFound", detail("There is no such record for the caller.", "Not found.")},
		{"NotAcceptable", detail("The client does not accept JSON.", "Could not satisfy the request Accept header.")},
		{"PreconditionFailed", detail("The record no longer has the version in `If-Match`. Nothing was changed.", "The record has changed.")},
		{"TooLarge", detail("The request is too large, or asks for too much.", "The request body is longer than 1048576 bytes.")},
		{"UnsupportedMediaType", detail("The server does not accept the media type of the body.", `Unsupported media type "text/plain" in request.`)},
		{"TooManyRequests", retry.with("headers", headerReferences("Retry-After"))},
		{"Failed", refused("An error of the server.", "Failure", object{
			{"detail", "Something went wrong on our side."}, {"request_id", "0f3c9a7e5b1d4c28"},
		})},
		{"Unavailable", detail("The server cannot work at the moment.", "The service is not available at the moment.")},
		{"Refused", detail("Any other refusal: 405 with `Allow` for a method that the address does not have, "+
			"408 for a body that does not arrive in time.", `Method "PUT" not allowed.`).
			with("headers", headerReferences("Allow"))},
	}
}

func refused(description, schema string, example object) object {
	return object{
		{"description", description},
		{"content", object{{mediaJSON, object{{"schema", reference("schemas", schema)}, {"example", example}}}}},
	}
}

func headerReferences(names ...string) (all object) {
	for _, name := range names {
		all = append(all, member{name, reference("headers", name)})
	}
	return all
}

// commonHeaders are those of answers.
func commonHeaders() object {
	text := object{{"type", "string"}}
	return object{
		{"Allow", object{{"description", "The methods of the address."}, {"schema", text}, {"example", "GET, POST, HEAD, OPTIONS"}}},
		{"WWW-Authenticate", object{{"description", "How to authenticate."}, {"schema", text}, {"example", `Bearer realm="api"`}}},
		{"ETag", object{{"description", "The version of the record."}, {"schema", text}, {"example", sampleTag}}},
		{"Location", object{{"description", "The address of the new record."}, {"schema", text}, {"example", "/api/patients/1/"}}},
		{"Retry-After", object{
			{"description", "How many seconds to wait."},
			{"schema", object{{"type", "integer"}, {"minimum", 1}}},
			{"example", 8},
		}},
	}
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
	header := func(name, text string) {
		all = append(all, object{
			{"name", name},
			{"in", "header"},
			{"description", text},
			{"schema", object{{"type", "string"}}},
		})
	}
	// Without examples, as pages fill those in where they are tried.
	if c.conditional {
		header("If-Match", "An ETag, such as `"+sampleTag+"`: the record is changed or deleted only if it still has this version, otherwise 412. Absent or `*`: in any case.")
	}
	if c.method == http.MethodGet && c.isTagged() {
		header("If-None-Match", "The ETag that the client has, such as `"+sampleTag+"`: 304 if the record still has this version.")
	}
	return all
}

const sampleTag = `"1"`

// isTagged says whether the answer has an ETag.
func (c call) isTagged() bool { return c.status != http.StatusNoContent && c.root.has(etag) }

// answerHeaders are those that come when all is well.
func (c call) answerHeaders() object {
	var names []string
	if c.isTagged() {
		names = append(names, "ETag")
	}
	if c.located {
		names = append(names, "Location")
	}
	return headerReferences(names...)
}
