package coerce_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/caregraph/caregraph/internal/coerce"
	"github.com/caregraph/caregraph/internal/testutil"
)

// operation compiles a document of the server's schema.
func operation(tb testing.TB, text string) *coerce.Operation {
	tb.Helper()
	source, err := os.ReadFile("../../schema.graphqls")
	testutil.Must(tb, err)
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: string(source)})
	doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
	if errs != nil {
		tb.Fatal(errs)
	}
	operations, errs := coerce.New(schema, "Decimal").Operations(doc)
	if errs != nil {
		tb.Fatal(errs)
	}
	return operations[doc.Operations[0]]
}

// BenchmarkVariables measures the reading of variables as gqlhttp decodes them: those of
// a lookup, of a page and of a change.
func BenchmarkVariables(b *testing.B) {
	for name, try := range map[string]struct {
		document  string
		variables map[string]any
	}{
		"lookup": {`query ($id: ID!) { patient(id: $id) { name } }`, map[string]any{"id": "pat_42"}},
		"page":   {`query ($n: Int, $after: String) { patients(first: $n, after: $after) { nodes { name } } }`, map[string]any{"n": json.Number("20")}},
		"change": {`mutation ($i: CreatePatientInput!) { createPatient(input: $i) { patient { id } } }`, map[string]any{"i": map[string]any{
			"name": "Asha Rao", "dateOfBirth": "1990-05-15", "gender": "FEMALE", "phone": "9876543210", "address": "12 Lake Road",
			"emergencyContact": "9876543211", "bloodGroup": "B_POSITIVE", "email": "asha@mail.example",
		}}},
	} {
		b.Run(name, func(b *testing.B) {
			o := operation(b, try.document)
			b.ReportAllocs()
			for b.Loop() {
				if _, errs := o.Variables(try.variables); errs != nil {
					b.Fatal(errs)
				}
			}
		})
	}
}
