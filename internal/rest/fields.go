package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// nonField is the name for faults of no single field.
const nonField = "non_field_errors"

// fieldErrors are the messages about each field, by its name in REST.
type fieldErrors map[string][]string

func (f fieldErrors) add(name, message string) { f[name] = append(f[name], message) }

// fieldErrorAnswer tells all faults, in the order of the fields.
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

// invalid is a fault of the body as a whole.
func invalid(message string) *answer {
	return &answer{status: http.StatusBadRequest, body: object{{nonField, []string{message}}}}
}

// read turns a body into GraphQL values, and says what cannot be turned.
func (op *operation) read(body map[string]any) (values map[string]any, found fieldErrors) {
	values, found = map[string]any{}, fieldErrors{}
	for _, in := range op.inputs {
		sent, present := body[in.name]
		switch {
		case !present && (in.optional || op.partial):
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

// readText reads all that the graph takes as a text, scalars of its own
// included: what is wrong with their values, it tells itself.
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

// readEnum takes an enum value as REST writes it.
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

// asText takes a number for the text that it was written as.
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

// notValid is what is said about a value that is no text of the type.
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

// readInt takes 8, 8.0, 80e-1 and "8".
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
	number, err := strconv.ParseInt(text, 10, 64) // at its bounds when out of range
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

// readID takes the number of a record, as a number or as its digits. One that
// is too large is none that was ever given out, which is for the graph to say.
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

// unknownID is said about an id of no record that the caller could mean.
func unknownID(id any) string { return fmt.Sprintf("Invalid pk \"%s\" - object does not exist.", id) }

// variables are those of the document, for a body and the id in the path.
func (op *operation) variables(values map[string]any, id string) map[string]any {
	all := map[string]any{}
	if op.inInput {
		all["input"] = values
	} else {
		maps.Copy(all, values)
	}
	if op.byID {
		all[idVariable] = id
	}
	return all
}

// neverValid is refused in every text by validation, and could not be stored
// if it were not. It is the id of nothing.
const neverValid = "\x00"

// makeInvalid makes values that the graph refuses of those that the faults have
// been left out of, so that it tells what is wrong with the others: clients
// want all faults at once. It returns the fields of which nothing is learned.
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

// invalidValue is a value that no record ever gets: if the type has none that is
// refused, it comes together with another field's that is.
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
