package rest

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// nonField is the key for errors that concern no single field.
const nonField = "non_field_errors"

// fieldErrors maps the name of each field in REST to its messages.
type fieldErrors map[string][]string

func (f fieldErrors) add(name, message string) { f[name] = append(f[name], message) }

// fieldErrorAnswer returns all errors, in the order of the fields.
func (op *operation) fieldErrorAnswer(found fieldErrors) *answer {
	var body object
	for _, in := range op.inputs {
		if messages := found[in.name]; len(messages) > 0 {
			body = append(body, member{in.name, messages})
		}
	}
	if messages := found[nonField]; len(messages) > 0 {
		body = append(body, member{nonField, messages})
	}
	return &answer{status: http.StatusBadRequest, body: body}
}

// invalid returns an error of the body as a whole.
func invalid(message string) *answer {
	return &answer{status: http.StatusBadRequest, body: object{{nonField, []string{message}}}}
}

// read converts a body into GraphQL values, and returns errors for what it
// cannot convert.
func (op *operation) read(body map[string]any) (values map[string]any, found fieldErrors) {
	values, found = map[string]any{}, fieldErrors{}
	for _, in := range op.inputs {
		sent, present := body[in.name]
		switch {
		case in.onlyAsks, !present && (in.optional || op.partial):
			continue
		case !present:
			found.add(in.name, "This field is required.")
			continue
		}
		value, fault := in.read(sent)
		if fault != "" {
			found.add(in.name, fault)
			continue
		}
		values[in.input] = value
	}
	return values, found
}

func (in input) read(sent any) (value any, fault string) {
	switch {
	case sent == nil && in.optional:
		return nil, ""
	case sent == nil:
		return nil, "This field may not be null."
	case in.choices != nil:
		return in.readEnum(sent)
	}
	switch in.typ {
	case "Int":
		return readInt(sent)
	case "ID":
		return readID(sent)
	default:
		return in.readText(sent)
	}
}

// readText reads every type that the graph takes as text, including our own
// scalars: the graph reports invalid values itself.
func (in input) readText(sent any) (value any, fault string) {
	text, ok := asText(sent)
	text = strings.TrimSpace(text)
	switch {
	case !ok:
		return nil, notValid(in.typ)
	case strings.ContainsRune(text, 0):
		return nil, "Null characters are not allowed."
	case text == "" && in.emptyIsNull:
		return nil, ""
	case text == "" && !in.blank:
		return nil, "This field may not be blank."
	default:
		return text, ""
	}
}

// readEnum reads an enum value as REST writes it.
func (in input) readEnum(sent any) (value any, fault string) {
	text, ok := asText(sent)
	if !ok {
		return nil, "Not a valid choice."
	}
	if text == "" && in.emptyIsNull {
		return nil, ""
	}
	for _, c := range in.choices {
		if c.rest == text {
			return c.graphql, ""
		}
	}
	return nil, `"` + text + `" is not a valid choice.`
}

// asText returns a text, or a number as it was written.
func asText(sent any) (string, bool) {
	switch sent := sent.(type) {
	case string:
		return sent, true
	case json.Number:
		return sent.String(), true
	default:
		return "", false
	}
}

// notValid returns the message for a value that is not a text of the type.
func notValid(typ string) string {
	switch typ {
	case "Date":
		return "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
	case "Decimal":
		return "A valid number is required."
	default:
		return "Not a valid string."
	}
}

const notInt = "A valid integer is required."

// readInt accepts 8, 8.0, 80e-1 and "8".
func readInt(sent any) (value any, fault string) {
	text, ok := asText(sent)
	text = strings.TrimSpace(text)
	if whole, zeros, found := strings.Cut(text, "."); found && strings.Trim(zeros, "0") == "" {
		text = whole
	}
	if _, isNumber := sent.(json.Number); isNumber && strings.ContainsAny(text, "eE") {
		float, err := strconv.ParseFloat(text, 64)
		if err != nil || float != math.Trunc(float) {
			return nil, notInt
		}
		text = strconv.FormatFloat(float, 'f', 0, 64)
	}
	number, err := strconv.ParseInt(text, 10, 64) // the bound if out of range
	switch {
	case !ok || err != nil && !errors.Is(err, strconv.ErrRange):
		return nil, notInt
	case number > math.MaxInt32:
		return nil, "Ensure this value is less than or equal to 2147483647."
	case number < math.MinInt32:
		return nil, "Ensure this value is greater than or equal to -2147483648."
	default:
		return number, ""
	}
}

// readID accepts the number of a record, as a number or as its digits. The
// graph reports a number that is too large as unknown.
func readID(sent any) (value any, fault string) {
	text, ok := asText(sent)
	text = strings.TrimSpace(text)
	if ok && text == "" {
		return nil, "This field may not be null."
	}
	if digits := strings.TrimPrefix(text, "-"); !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return nil, "Incorrect type. Expected pk value, received " + typeName(sent) + "."
	}
	return text, ""
}

// variables returns the variables of the document, from a body, its values and
// the id in the path.
func (op *operation) variables(body, values map[string]any, id string) map[string]any {
	all := map[string]any{}
	if op.inInput {
		all["input"] = values
	} else {
		maps.Copy(all, values)
	}
	if op.byID {
		all[idVariable] = id
	}
	if op.asksDevice {
		_, all[deviceVariable] = body["device"]
	}
	return all
}

// neverValid is a text that validation always refuses; the database could not
// store it either. It is the id of no record.
const neverValid = "\x00"

// makeInvalid fills in values for the fields with errors, and makes sure that
// the graph refuses the request. So the graph reports the errors of the other
// fields: clients want all errors at once. It returns the fields about which
// the graph's errors say nothing.
func (op *operation) makeInvalid(values map[string]any, found fieldErrors) (unknown []string) {
	isInvalid := false
	for _, in := range op.inputs {
		if len(found[in.name]) == 0 {
			continue
		}
		unknown = append(unknown, in.name)
		values[in.input] = in.invalidValue()
		isInvalid = isInvalid || in.invalidValue() == neverValid
	}
	for _, in := range op.inputs {
		if !isInvalid && in.invalidValue() == neverValid {
			values[in.input], isInvalid = neverValid, true
			unknown = append(unknown, in.name)
		}
	}
	return unknown
}

// invalidValue returns a value for a field with errors, which is never stored.
// For types without a value that the graph always refuses, another field gets
// neverValid.
func (in input) invalidValue() any {
	switch {
	case in.choices != nil:
		return in.choices[0].graphql
	case in.typ == "Int":
		return 0
	default:
		return neverValid
	}
}
