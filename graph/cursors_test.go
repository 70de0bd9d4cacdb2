package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

// TestForgedCursor_IsRefused: a cursor that the list cannot have returned does not reach
// the database.
func TestForgedCursor_IsRefused(t *testing.T) {
	t.Parallel()
	c := graphtest.New(t, graphtest.Options{}).NewClinic()
	for list, keys := range map[string][]string{
		"patients(orderBy: {field: CREATED_AT}":      {"", "x", "0000-01-01 00:00:00+00", "2026-13-01 00:00:00+00", "infinity"},
		"patients(orderBy: {field: DATE_OF_BIRTH}":   {"", "x", "0000-01-01", "2026-02-30", "infinity"},
		"patients(orderBy: {field: NAME}":            {"a\x00"},
		"doctors(orderBy: {field: EXPERIENCE_YEARS}": {"", "x", "1e20", "1.5", "99999999999", "NaN"},
		"doctors(orderBy: {field: CONSULTATION_FEE}": {"", "x", "NaN", "1e999"},
		"mappings(orderBy: {field: UPDATED_AT}":      {"", "x", "0000-01-01 00:00:00+00"},
	} {
		for _, key := range keys {
			name, _, _ := strings.Cut(list, "(")
			_, field, _ := strings.Cut(strings.TrimSuffix(list, "}"), "field: ")
			direction := map[bool]string{false: "ASC", true: "DESC"}[name == "mappings"]
			text, err := json.Marshal([]any{name + " " + field + " " + direction, key, 1})
			if err != nil {
				t.Fatal(err)
			}
			query := fmt.Sprintf("{ it: %s, after: %q) { totalCount nodes { id } } }", list, base64.RawURLEncoding.EncodeToString(text))
			equalJSON(t, list+" "+key, c.Rahul.Do(query, nil).Codes(), []string{"it INVALID_CURSOR"})
		}
	}
}
