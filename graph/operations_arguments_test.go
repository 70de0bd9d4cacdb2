package graph_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/model"
)

// arguments writes all required arguments of a field and some others. It also returns the
// number of records that the limits expect of the field. At most one value is refused,
// because no rule says which of several errors is reported.
func (w *operationWriter) arguments(on *ast.Definition, field *ast.FieldDefinition) (string, int) {
	w.faulty = false
	values := map[string]any{}
	for _, arg := range field.Arguments {
		must := arg.Type.NonNull && arg.DefaultValue == nil
		if !paging(arg.Name) && (must || w.below(3) == 1) {
			values[arg.Name] = w.value(spot{arg.Type, about(field, arg), arg.DefaultValue != nil})
		}
	}
	if field.Arguments.ForName("first") != nil {
		w.page(on, field, values)
	}
	records := max(w.records(field, values, 0), w.records(field, values, 1))
	if len(values) == 0 {
		return "", records
	}
	for name := range values {
		w.used[fmt.Sprintf("%s.%s(%s:)", on.Name, field.Name, name)] = true
	}
	text := literal(values)
	return "(" + text[1:len(text)-1] + ")", records
}

func paging(argument string) bool {
	return slices.Contains([]string{"first", "after", "last", "before"}, argument)
}

// about returns the subject of an argument. The argument `id` is about the field's record.
func about(field *ast.FieldDefinition, arg *ast.ArgumentDefinition) string {
	if strings.HasPrefix(arg.Name, "id") {
		return field.Name
	}
	return arg.Name
}

// page adds the page arguments.
func (w *operationWriter) page(on *ast.Definition, field *ast.FieldDefinition, values map[string]any) {
	cursor := "cursor of " + w.listName(on, field, values)
	for _, name := range strings.Fields(pick(&w.choices,
		"", "first", "", "last", "first after", "last before", "first", "after", "first after before", "last after")) {
		if field.Arguments.ForName(name) == nil {
			continue // a list with a source of its own may have fewer
		}
		hint, typ := cursor, "String"
		if name == "first" || name == "last" {
			hint, typ = "size", "Int"
		}
		values[name] = w.value(spot{typ: ast.NamedType(typ, nil), hint: hint})
	}
	if values["first"] != nil && field.Arguments.ForName("last") != nil && w.spoil(30) {
		values["last"] = 1
	}
}

// listName returns the name of a list in dataset.cursors.
func (w *operationWriter) listName(on *ast.Definition, field *ast.FieldDefinition, values map[string]any) string {
	name := field.Name
	if on != w.schema.Query {
		name = w.data.listOf(on.Name, field.Name)
	}
	order, ok := held(values["orderBy"], 0).(map[string]any)
	if !ok {
		return name
	}
	direction := held(order["direction"], 0)
	if direction == nil {
		input := w.schema.Types[field.Arguments.ForName("orderBy").Type.Name()]
		direction = input.Fields.ForName("direction").DefaultValue.Raw
	}
	return fmt.Sprint(name, " ", held(order["field"], 0), " ", direction)
}

// records returns the number of records that the limits expect of a field.
func (w *operationWriter) records(field *ast.FieldDefinition, values map[string]any, turn int) int {
	if ids, ok := held(values["ids"], turn).([]any); ok {
		return max(len(ids), 1)
	}
	if field.Arguments.ForName("first") == nil {
		return 1
	}
	size := 0
	for _, name := range []string{"first", "last"} {
		if n, ok := held(values[name], turn).(int); ok {
			size = max(size, min(max(n, 1), model.MaxPage))
		}
	}
	switch byDefault := field.Arguments.ForName("first").DefaultValue; {
	case size > 0:
		return size
	case byDefault != nil:
		size, _ = strconv.Atoi(byDefault.Raw)
		return size
	default:
		return model.DefaultPage
	}
}

// spoil sometimes reports that the next value must be a refused one.
func (w *operationWriter) spoil(oneIn int) bool {
	if w.faulty || !w.oneIn(oneIn) {
		return false
	}
	w.faulty, w.used["refused value"] = true, true
	return true
}

func (w *operationWriter) scalar(name, hint string) any {
	switch name {
	case "Boolean":
		return w.below(2) == 0
	case "Int":
		return w.number(hint)
	case "ID":
		return w.id(hint)
	case "Date":
		if w.spoil(12) {
			return pick[any](&w.choices, "1990-13-01", "yesterday", "", 1990)
		}
		return pick(&w.choices, "1970-01-01", "1990-05-15", "1990-5-15", " 1969-12-31 ", "2000-02-29", "1899-03-01", "0001-01-01")
	case "DateTime":
		if w.spoil(12) {
			return pick(&w.choices, "yesterday", "", "2026-01-05", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z")
		}
		return pick(&w.choices, "2026-01-03T00:30:00Z", "2026-01-04T06:00:00.123456+05:30", "2026-01-03T00:30:00.1234567Z", "2000-01-01T00:00:00-01:00",
			"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z")
	case "Decimal":
		if w.spoil(12) {
			return pick[any](&w.choices, "a lot", "1e999", "", true)
		}
		return pick[any](&w.choices, "750.00", "1500.5", 750, json.Number("1500.50"), "1e3", "0", -1, "100000")
	case "EmailAddress":
		return pick(&w.choices, "new@mail.example", "Dr.New@Mail.Example", " x@y.example ", "account1@clinic.example", "none", "")
	case "PhoneNumber":
		return pick(&w.choices, "9876543210", "+91 98765 43211", "+4420712345", "09876543212", "1")
	case "AbhaNumber":
		return pick(&w.choices, "91-1234-5678-9012", "91123456789013", "91")
	case "String":
		return w.string(hint)
	default:
		w.tb.Fatalf("there is no example of the scalar %s: write one", name)
		return nil
	}
}

func (w *operationWriter) number(hint string) int {
	if hint == "expectedVersion" {
		return pick(&w.choices, 1, 2, 3, 0)
	}
	if hint != "size" {
		return pick(&w.choices, 0, 7, 14, 28, 70, -1, 1<<31-1)
	}
	if w.spoil(25) {
		return pick(&w.choices, 101, -1, 1<<31-1)
	}
	return pick(&w.choices, 2, 1, 3, 4, 5, 0, 2, 3, 20, 100)
}

func (w *operationWriter) string(hint string) string {
	if list, ok := strings.CutPrefix(hint, "cursor of "); ok {
		return w.cursor(list)
	}
	if w.spoil(20) {
		return pick(&w.choices, "\x00", strings.Repeat("x", 255))
	}
	if strings.HasPrefix(hint, "specialization") {
		return pick(&w.choices, "Cardiology", "NEUROLOGY", "dermatology <skin>", "बाल रोग", `rare\field`, "", "none of them")
	}
	return pick(&w.choices, "an", "ANA", "emi", "É", "", "  ", "9876543", "+91 98765 43210", "014", "%", "_", `\`, `"`, "'", "<b>",
		"अर्जुन", "😷", "mail.example", "dr. ", "LIC-00", "wide %", "＿", "zzz", "\u2028", "$1", "?", strings.Repeat("x", 254))
}

// cursor returns a cursor of the list.
func (w *operationWriter) cursor(list string) string {
	known := w.data.cursors[list]
	if len(known) == 0 {
		w.tb.Fatalf("the dataset has no cursors of %q", list)
	}
	if w.spoil(12) {
		return pick(&w.choices, "x", "", "W10", known[0][1:], w.data.cursors["doctors"][0], w.data.cursors["Mapping by patient_id"][0])
	}
	w.used["cursor"] = true
	return pick(&w.choices, known...)
}

// id returns the id of a record in one of its forms. Half of the records are visible to a
// viewer of the operation.
func (w *operationWriter) id(hint string) any {
	if strings.HasSuffix(hint, "ableAccount") || hint == "setRole" {
		return pick[any](&w.choices, fmt.Sprint("usr_", deactivated), deactivated, fmt.Sprint("usr_", administrator), "usr_99999") // no viewer loses the session
	}
	kind := ""
	for name, is := range map[string]string{"patient": "pat", "notassignedto": "pat", "doctor": "doc", "mapping": "map", "account": "usr", "transfer": "trf"} {
		if strings.HasSuffix(strings.ToLower(strings.TrimSuffix(hint, "Id")), name) {
			kind = is
		}
	}
	if kind == "" {
		kind = pick(&w.choices, w.data.kinds()...)
	}
	n := 1 + w.below(w.data.size[kind])
	switch w.below(16) {
	case 0, 1, 2, 3, 4, 5, 6:
		if seen := w.askers[w.below(turns)].sees[kind]; len(seen) > 0 {
			return pick(&w.choices, seen...)
		}
		return fmt.Sprintf("%s_%d", kind, n)
	case 7:
		return n
	case 8:
		return fmt.Sprint(n)
	case 9:
		return pick[any](&w.choices, "pat_99999", "usr_1", "map_1", "doc_0", "PAT_1", "pat_", "pat_+1", " pat_1", "", "nonsense",
			"9223372036854775807", "pat_9223372036854775808", -1, 0)
	default:
		return fmt.Sprintf("%s_%d", kind, n)
	}
}
