package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// server copies the input of the generator to a new directory, with one change of the
// schema, and changes to it.
func server(t *testing.T, old, replacement string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, pattern := range []string{"go.mod", "go.sum", "gqlgen.yml", "model/*.go", "graph/gen/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, error %v", pattern, files, err)
		}
		for _, file := range files {
			write(t, filepath.Join(dir, filepath.Dir(pattern), filepath.Base(file)), read(t, file))
		}
	}
	schema := read(t, filepath.Join(root, "schema.graphqls"))
	if strings.Count(schema, old) != 1 {
		t.Fatalf("the schema has %d of %q", strings.Count(schema, old), old)
	}
	write(t, filepath.Join(dir, "schema.graphqls"), strings.Replace(schema, old, replacement, 1))
	t.Chdir(dir)
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The server checks more when it starts: see internal/policy.
func TestChanges_RefuseMistakesByName(t *testing.T) {
	const create, update = `input CreatePatientInput @creates(type: "Patient", except: ["ownerId"]) {`, `input UpdateMappingInput @updates(type: "Mapping") {`
	cases := []struct{ name, old, replacement, want string }{
		{
			"no type", create, `input CreatePatientInput @creates(type: "Nobody") {`,
			"CreatePatientInput: @creates(type:) names Nobody, which is bound to no model",
		},
		{
			"no struct of the model", update, `input UpdateMappingInput @updates(type: "TokenPair") {`,
			"UpdateMappingInput: @updates(type:) names TokenPair, which is bound to no model",
		},
		{
			"other type", update, update + ` isActive: Int`,
			"UpdateMappingInput.isActive: is of type *int, which cannot set IsActive of type bool",
		},
		{
			"method that formats nothing", create, create + ` id: ID!`,
			"CreatePatientInput.id: github.com/caregraph/caregraph/model.Patient has no field NodeID of its own",
		},
		{
			"new record without what it must have", `input CreateDoctorInput @creates(type: "Doctor", except: ["isMe"]) {`,
			`input CreateDoctorInput @creates(type: "Doctor", except: ["isMe"]) { isVerified: Boolean`,
			"CreateDoctorInput.isVerified: is of type *bool, which cannot set IsVerified of type bool",
		},
		{
			"field of every record", create, create + ` version: Int!`,
			"CreatePatientInput.version: github.com/caregraph/caregraph/model.Patient has no field Version of its own",
		},
		{
			"two inputs that change one type", `input VerifyDoctorInput @updates(type: "Doctor", except: ["linkCode", "keepsMappings"]) {`,
			`input VerifyDoctorInput @updates(type: "Doctor", except: ["linkCode", "keepsMappings"]) { availability: String`,
			"UpdateDoctorInput and VerifyDoctorInput both ask for the function DoctorChanges",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			server(t, c.old, c.replacement)
			if err := run(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v\nwant %s", err, c.want)
			}
		})
	}
}
