package main

import "github.com/99designs/gqlgen/codegen"

// payloads is the plugin that makes the field query of a payload a resolver, so that Reads
// begins it. gqlgen answers a field of the type Query with an empty struct otherwise.
type payloads struct{}

// Name returns the name of the plugin in gqlgen's errors.
func (payloads) Name() string { return "payloads" }

// GenerateCode changes what the other plugins and gqlgen then write.
func (payloads) GenerateCode(data *codegen.Data) error { //nolint:unparam // the interface of gqlgen
	for _, object := range data.Objects {
		for _, field := range object.Fields {
			if field.TypeReference.IsRoot {
				resolved := *field.TypeReference
				resolved.IsRoot = false
				field.TypeReference, field.IsResolver = &resolved, true
			}
		}
	}
	return nil
}
