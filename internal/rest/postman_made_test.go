package rest

// docs/caregraph.postman_collection.json is made by this file. After a change
// of the table or the schema write it anew:
//
//	go test ./internal/rest -run TestPostman -update

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Postman describes the addresses as a Postman collection in format 2.1, made
// of the same table and examples as OpenAPI. Run from top to bottom it passes
// on every server, again and again: it registers an account of its own, keeps
// tokens and ids in variables, and deletes at the end what it made. The same
// table and schema give the same bytes.
//
// An error names the row that does not fit the schema.
func Postman(schema *ast.Schema) ([]byte, error) {
	calls, err := calls(schema)
	if err != nil {
		return nil, err
	}
	d := newDescription(schema, calls)
	var compact, indented bytes.Buffer
	encode(&compact, object{
		{"info", object{
			{"name", "CareGraph REST API"},
			{"description", "Set `base_url`, then run it from top to bottom, or begin with register or login: their tokens are kept."},
			{"schema", "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
		}},
		{"auth", bearerAuth()},
		{"variable", []any{
			variable("base_url", "http://localhost:8080"),
			variable("run", ""),
			variable("mobile", ""),
			variable("access", ""),
			variable("refresh", ""),
			variable("patient_id", ""),
			variable("doctor_id", ""),
			variable("mapping_id", ""),
		}},
		{"item", d.folders(calls)},
	})
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("rest: indent the collection: %w", err)
	}
	indented.WriteByte('\n')
	return indented.Bytes(), nil
}

func variable(name, value string) object {
	return object{{"key", name}, {"value", value}, {"type", "string"}}
}

func bearerAuth() object {
	token := object{{"key", "token"}, {"value", "{{access}}"}, {"type", "string"}}
	return object{{"type", "bearer"}, {"bearer", []any{token}}}
}

// folders are one for each tag, and one at the end for what ends something, so
// that nothing is asked for after it is gone.
func (d *description) folders(calls []call) []any {
	var names []string
	items := map[string][]any{}
	var last []any
	for _, c := range calls {
		if c.ends() {
			last = append([]any{d.item(c)}, last...)
			continue
		}
		name := path(c.path).tag()
		if items[name] == nil {
			names = append(names, name)
		}
		items[name] = append(items[name], d.item(c))
	}
	var folders []any
	for _, name := range names {
		folders = append(folders, object{{"name", name}, {"item", items[name]}})
	}
	return append(folders, object{{"name", "the end"}, {"item", last}})
}

// ends says whether the row takes something away.
func (c call) ends() bool { return c.status == http.StatusNoContent }

func (d *description) item(c call) object {
	request := object{
		{"method", c.method},
		{"header", c.postmanHeaders()},
		{"url", d.postmanURL(c)},
		{"description", d.text(c)},
	}
	if c.public {
		request = append(request, member{"auth", object{{"type", "noauth"}}})
	}
	if len(c.inputs) > 0 {
		request = append(request, member{"body", object{
			{"mode", "raw"},
			{"raw", d.postmanBody(c)},
			{"options", object{{"raw", object{{"language", "json"}}}}},
		}})
	}
	return object{{"name", c.summary}, {"event", d.events(c)}, {"request", request}}
}

func (c call) postmanHeaders() []any {
	headers := []any{object{{"key", "Accept"}, {"value", mediaJSON}}}
	if len(c.inputs) > 0 {
		headers = append(headers, object{{"key", "Content-Type"}, {"value", mediaJSON}})
	}
	return headers
}

// postmanURL has the id of the record that the collection has made.
func (d *description) postmanURL(c call) object {
	p := placeholders.ReplaceAllString(c.path, "{{"+strings.ToLower(d.subject(c))+"_id}}")
	return object{
		{"raw", "{{base_url}}" + p},
		{"host", []string{"{{base_url}}"}},
		{"path", strings.Split(strings.TrimPrefix(p, "/"), "/")},
	}
}

// unique are the examples that can be used once only, or are known only when
// the collection runs.
func unique(owner, name string) string {
	switch owner + "." + name {
	case "User.username":
		return "rahul_kumar_{{run}}"
	case "User.email":
		return "rahul.kumar+{{run}}@gmail.com"
	case "User.phone":
		return "{{mobile}}"
	case "Doctor.license_number":
		return "CARD{{run}}"
	case "Mapping.patient":
		return "{{patient_id}}"
	case "Mapping.doctor":
		return "{{doctor_id}}"
	}
	switch name {
	case "refresh":
		return "{{refresh}}"
	case "token":
		return "{{access}}"
	}
	return ""
}

// postmanBody is the example of the body; a partial one changes its last field
// only.
func (d *description) postmanBody(c call) string {
	sample := d.sampleBody(c)
	if c.partial {
		sample = sample[len(sample)-1:]
	}
	for i, m := range sample {
		if value := unique(d.subject(c), m.name); value != "" {
			sample[i].value = value
		}
	}
	var compact, indented bytes.Buffer
	encode(&compact, sample)
	if err := json.Indent(&indented, compact.Bytes(), "", "  "); err != nil {
		return compact.String()
	}
	// Numbers go without quotes.
	return strings.NewReplacer(`"{{patient_id}}"`, "{{patient_id}}", `"{{doctor_id}}"`, "{{doctor_id}}").Replace(indented.String())
}

// events are the scripts: one that checks the status and keeps what later
// requests need, and before the first request one that makes the account's
// values.
func (d *description) events(c call) []any {
	lines := []string{fmt.Sprintf(`pm.test("the status is %d", () => pm.response.to.have.status(%[1]d));`, c.status)}
	if kept := d.kept(c); len(kept) > 0 {
		lines = append(lines, "if (pm.response.code === "+fmt.Sprint(c.status)+") {", "  const body = pm.response.json();")
		for _, m := range kept {
			lines = append(lines, fmt.Sprintf("  pm.collectionVariables.set(%q, body.%s);", m.name, m.value))
		}
		lines = append(lines, "}")
	}
	events := []any{script("test", lines)}
	if c.refusesBadToken { // the registration
		events = append([]any{script("prerequest", []string{
			`pm.collectionVariables.set("run", String(Date.now()));`,
			`pm.collectionVariables.set("mobile", "9" + String(Date.now()).slice(-9));`,
		})}, events...)
	}
	return events
}

func script(listen string, lines []string) object {
	return object{{"listen", listen}, {"script", object{{"type", "text/javascript"}, {"exec", lines}}}}
}

// kept are the variables to set, with the places of their values in the
// answer.
func (d *description) kept(c call) (all object) {
	_, sample := d.answerSchema(c)
	top, _ := sample.(object)
	all = append(all, tokensIn(top, "")...)
	for _, m := range top {
		if nested, ok := m.value.(object); ok && m.name == "tokens" {
			all = append(all, tokensIn(nested, m.name+".")...)
		}
		if m.name == "id" && c.status == http.StatusCreated {
			all = append(all, member{strings.ToLower(d.subject(c)) + "_id", "id"})
		}
	}
	return all
}

func tokensIn(o object, below string) (all object) {
	for _, m := range o {
		if m.name == "access" || m.name == "refresh" {
			all = append(all, member{m.name, below + m.name})
		}
	}
	return all
}
