package rest

import (
	_ "embed"
	"encoding/json"
)

//go:embed openapi.json
var openAPIText []byte

// fixed is the part of the description that does not depend on the table and
// the schema, as openapi.json has it.
type fixed struct {
	Title, Summary, Description string
	License                     json.RawMessage
	// Tags are the first words of the paths.
	Tags []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	// Parameters are headers of requests by name. They have no examples, as pages
	// fill those in where they are tried.
	Parameters map[string]json.RawMessage
	// Schemas are those of errors.
	Schemas []struct {
		Name   string
		Schema json.RawMessage
	}
	Responses, Headers, SecuritySchemes json.RawMessage
	// Examples are values that stand in for real ones, by their names in REST:
	// "Doctor.name" for what is only so in a doctor, else the bare name.
	Examples map[string]any
}

func fixedParts() (f fixed) {
	if err := json.Unmarshal(openAPIText, &f); err != nil {
		panic("openapi.json does not decode: " + err.Error()) //nolint:forbidigo // it is compiled in
	}
	return f
}

// example finds the example of a member of a thing of the schema.
func (f fixed) example(owner, name string) (any, bool) {
	if value, ok := f.Examples[owner+"."+name]; ok {
		return value, true
	}
	value, ok := f.Examples[name]
	return value, ok
}
