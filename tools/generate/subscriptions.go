package main

import "github.com/vektah/gqlparser/v2/ast"

// withoutSubscriptions is the plugin that keeps gqlgen from generating code for
// Subscription: it knows no stream of Query, and graph answers subscriptions without it.
type withoutSubscriptions struct{}

// Name returns the name of the plugin in gqlgen's errors.
func (withoutSubscriptions) Name() string { return "withoutSubscriptions" }

// MutateSchema removes the type from the schema of the generator. The server reads its own.
func (withoutSubscriptions) MutateSchema(schema *ast.Schema) error { //nolint:unparam // the interface of gqlgen
	delete(schema.Types, "Subscription")
	schema.Subscription = nil
	return nil
}
