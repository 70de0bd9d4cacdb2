package limits

import (
	"fmt"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
)

// hostile returns documents that are cheap to send and, without limits,
// expensive to validate or to run.
func hostile() map[string]string {
	fragments := func(n int) string {
		return repeat(n, func(i int) string { return fmt.Sprintf("fragment f%d on Query{...f%d ...f%d}", i, i+1, i+1) }) +
			fmt.Sprintf("fragment f%d on Query{me{id}}", n)
	}
	return map[string]string{
		"1.3 KB of doubling fragments": "{...f0}" + fragments(36),
		"doubling changes":             "mutation{...f0}" + strings.NewReplacer("on Query", "on Mutation", "me{id}", "logout{userErrors{code}}").Replace(fragments(36)),
		"24 KB of a repeated field":    "{me{" + repeat(8_000, literally("id")) + "}}",
		"1 MB of braces":               strings.Repeat("{a", 1<<19),
		"1 MB of comments":             strings.Repeat("#\n", 1<<19) + "{me{id}}",
		"conflicting aliases":          "{me{" + repeat(24, literally("a:id a:role")) + "}}",
		"repeats in inline fragments":  "{me{" + strings.Repeat("...{", 130) + repeat(160, literally("id")) + strings.Repeat("}", 130) + "}}",
		"deep data":                    "{me{" + strings.Repeat("doctorProfile{account{", 20) + "id" + strings.Repeat("}}", 20) + "}}",
		"pages of pages":               "{doctors(first:100){nodes{patients(first:100){nodes{doctors(first:100){nodes{id}}}}}}}",
		"many sign-ins":                "mutation{" + repeat(51, func(i int) string { return fmt.Sprintf(`a%d:logout{userErrors{code}}`, i) }) + "}",
		"many directives":              "{me{id" + strings.Repeat("@skip(if:true)", 100) + "}}",
	}
}

// costliest returns the documents within the default limits of shape that are,
// as far as we know, the most expensive to validate.
func costliest() map[string]string {
	spreads := func(n int) string { return repeat(n, func(i int) string { return fmt.Sprintf("...f%d", i) }) }
	fragments := func(n int, held string) string {
		return repeat(n, func(i int) string { return fmt.Sprintf("fragment f%d on User{%s}", i, held) })
	}
	return map[string]string{
		"inline fragments times fragments": "{me{" + strings.Repeat("...{", 98) + "id " + spreads(99) + strings.Repeat("}", 98) + "}}" + fragments(99, "id"),
		"fragments times fragments":        "{me{" + spreads(140) + "}}" + fragments(140, "id"),
		"repeats in inline fragments":      "{me{" + strings.Repeat("...{", 250) + repeat(14, literally("id")) + strings.Repeat("}", 250) + "}}",
		"different fields": "{me{" + strings.Repeat("...{", 200) + repeat(50, func(i int) string { return fmt.Sprintf("a%d:id", i) }) +
			strings.Repeat("}", 200) + "}}",
		"a long list":  "{nodes(ids:[" + repeat(1_480, literally("1")) + "]){id}}",
		"many unknown": "{me{" + repeat(298, func(i int) string { return fmt.Sprintf("x%d", i) }) + "}}",
		"many operations": repeat(90, func(i int) string { return fmt.Sprintf("query q%d{me{...f0}}", i) }) +
			repeat(50, func(i int) string { return fmt.Sprintf("fragment f%d on User{...f%d}", i, i+1) }) + "fragment f50 on User{id}",
	}
}

func TestLimits_CostliestDocumentsAreWithinTheShapeLimits(t *testing.T) {
	t.Parallel()
	for name, query := range costliest() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exec := newExecutor(t, Default())
			_, errs := submit(t, exec, query, nil)
			for _, err := range errs {
				if err.Extensions["code"] == "LIMIT_EXCEEDED" {
					t.Fatalf("the benchmark would measure nothing: %v", err)
				}
			}
		})
	}
}

// BenchmarkRefusal measures the time from a hostile document to its error.
func BenchmarkRefusal(b *testing.B) { benchmark(b, hostile()) }

// BenchmarkWorstAccepted measures checking and validating the most expensive
// documents within the limits of shape. The values of Default depend on it.
func BenchmarkWorstAccepted(b *testing.B) { benchmark(b, costliest()) }

// BenchmarkWithinLimits measures what the limits add to a request for a known
// document: one lookup and one walk for the cost.
func BenchmarkWithinLimits(b *testing.B) {
	const query = "{patients(first:20){nodes{id name age mappings{nodes{id isActive doctor{name specialization}}}}}}"
	limits := Default()
	op, errs := submit(b, newExecutor(b, Default()), query, nil)
	if errs != nil {
		b.Fatal(errs)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := limits.CheckOperation(b.Context(), op); err != nil || limits.CheckDocument(query) != nil {
			b.Fatal("refused")
		}
	}
}

func benchmark(b *testing.B, queries map[string]string) {
	for name, query := range queries {
		b.Run(name, func(b *testing.B) {
			exec := newExecutor(b, Default())
			ctx := graphql.StartOperationTrace(b.Context())
			for b.Loop() {
				// A query cache would hide the work from the second round on.
				_, _ = exec.CreateOperationContext(ctx, &graphql.RawParams{Query: query})
			}
		})
	}
}

// introspection is the query that GraphiQL sends, with all its options on
// (graphql-js 16, getIntrospectionQuery).
const introspection = `
query IntrospectionQuery {
  __schema {
    description
    queryType { name kind }
    mutationType { name kind }
    subscriptionType { name kind }
    types { ...FullType }
    directives {
      name description isRepeatable locations
      args(includeDeprecated: true) { ...InputValue }
    }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  fields(includeDeprecated: true) {
    name description
    args(includeDeprecated: true) { ...InputValue }
    type { ...TypeRef }
    isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description
  type { ...TypeRef }
  defaultValue isDeprecated deprecationReason
}
fragment TypeRef on __Type {
  kind name
  ofType { kind name
    ofType { kind name
      ofType { kind name
        ofType { kind name
          ofType { kind name
            ofType { kind name
              ofType { kind name
                ofType { kind name
                  ofType { kind name }
                }
              }
            }
          }
        }
      }
    }
  }
}`
