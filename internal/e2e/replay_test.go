package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scenario is a file of testdata/replay: requests in their order, and what their
// answers must have. Release 0.1.0 fails each of them.
type scenario struct {
	Title, Why string
	Steps      []step
}

// step is one request. Its texts may hold <<n>>, a number that no other file has, and
// <<name>> of a value that an earlier step saved.
type step struct {
	As           *string // the account that asks; null: none
	Method, Path string
	Headers      map[string]string
	Body         json.RawMessage // sent as JSON
	Raw          *string         // sent unchanged, as ContentType
	ContentType  string
	Save         map[string]string // the names of values, and their paths in the answer
	Want         json.RawMessage
	Note         string
	Got          string // the answer of release 0.1.0
}

// want is what an answer must have. A path is keys and indexes with dots between them;
// it begins with stepN to name the answer of step N.
type want struct {
	Status      int
	Equal, Not  map[string]any
	Absent, Has []string
	Null        []string // null or absent
	AtLeast     map[string]float64
	NotContains map[string]any // the path of a list or a text, and what it must not contain
	Errors      *bool          // whether the answer has errors
	OneOf       []want
}

// reply is an answer: JSON, or a text if it is not JSON.
type reply struct {
	status int
	body   any
}

// lookup returns the value at a path of the last answer, or of the one that the path
// names.
func lookup(answers []reply, path string) (value any, found bool) {
	value = answers[len(answers)-1].body
	parts := strings.Split(path, ".")
	if number, named := strings.CutPrefix(parts[0], "step"); named {
		if i, err := strconv.Atoi(number); err == nil && i < len(answers) {
			value, parts = answers[i].body, parts[1:]
		}
	}
	for _, part := range parts {
		switch parent := value.(type) {
		case map[string]any:
			value, found = parent[part]
		case []any:
			i, err := strconv.Atoi(part)
			if found = err == nil && i >= 0 && i < len(parent); found {
				value = parent[i]
			}
		default:
			found = false
		}
		if !found {
			return nil, false
		}
	}
	return value, true
}

func contains(value, part any) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(one any) bool { return reflect.DeepEqual(one, part) })
	case string:
		text, ok := part.(string)
		return !ok || strings.Contains(value, text)
	}
	return true // there is nothing to search
}

// unmet returns what the last answer lacks.
func (w want) unmet(answers []reply) (faults []string) {
	last := answers[len(answers)-1]
	check := func(ok bool, path, format string, args ...any) {
		if !ok {
			value, _ := lookup(answers, path)
			text, _ := json.Marshal(value)
			faults = append(faults, fmt.Sprintf("%s is %s, want ", path, text)+fmt.Sprintf(format, args...))
		}
	}
	if w.Status != 0 && last.status != w.Status {
		faults = append(faults, fmt.Sprintf("status is %d, want %d", last.status, w.Status))
	}
	for path, wanted := range w.Equal {
		value, found := lookup(answers, path)
		check(found && reflect.DeepEqual(value, wanted), path, "%v", wanted)
	}
	for path, refused := range w.Not {
		value, found := lookup(answers, path)
		check(!found || !reflect.DeepEqual(value, refused), path, "another value")
	}
	for _, path := range w.Absent {
		_, found := lookup(answers, path)
		check(!found, path, "nothing")
	}
	for _, path := range w.Null {
		value, _ := lookup(answers, path)
		check(value == nil, path, "null")
	}
	for _, path := range w.Has {
		_, found := lookup(answers, path)
		check(found, path, "a value")
	}
	for path, least := range w.AtLeast {
		value, _ := lookup(answers, path)
		number, ok := value.(float64)
		check(ok && number >= least, path, "at least %v", least)
	}
	for path, part := range w.NotContains {
		value, _ := lookup(answers, path)
		check(!contains(value, part), path, "a list without %v", part)
	}
	if w.Errors != nil {
		value, _ := lookup(answers, "errors")
		list, _ := value.([]any)
		check((len(list) > 0) == *w.Errors, "errors", "%s", map[bool]string{true: "a list", false: "nothing"}[*w.Errors])
	}
	if len(w.OneOf) > 0 {
		var tried []string
		for _, one := range w.OneOf {
			fault := one.unmet(answers)
			if len(fault) == 0 {
				return faults
			}
			tried = append(tried, strings.Join(fault, ", "))
		}
		faults = append(faults, "none of: "+strings.Join(tried, " | "))
	}
	return faults
}

// strict reads JSON that has no other keys than the value.
func strict(t *testing.T, text []byte, value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// send sends a request and returns the answer.
func (p *program) send(method, path string, body []byte, headers http.Header) reply {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header = headers
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	answer := reply{status: response.StatusCode}
	if json.Unmarshal(text, &answer.body) != nil {
		answer.body = string(text)
	}
	return answer
}

var saved = regexp.MustCompile(`<<(\w+)>>`)

// replay sends the steps of a scenario. The number is <<n>>.
func (p *program) replay(number string, s scenario) {
	t := p.t
	var answers []reply
	tokens, values := map[string]string{}, map[string]string{"n": number}
	fill := func(text string) string {
		return saved.ReplaceAllStringFunc(text, func(name string) string {
			value, ok := values[strings.Trim(name, "<>")]
			if !ok {
				t.Fatalf("no step saved %s", name)
			}
			return value
		})
	}
	for i, one := range s.Steps {
		headers := http.Header{"Content-Type": {"application/json"}}
		for name, value := range one.Headers {
			headers.Set(name, value)
		}
		if one.As != nil {
			if tokens[*one.As] == "" {
				tokens[*one.As] = p.register(*one.As + number)
			}
			headers.Set("Authorization", "Bearer "+tokens[*one.As])
		}
		body := fill(string(one.Body))
		if one.Raw != nil {
			body = fill(*one.Raw)
			headers.Set("Content-Type", one.ContentType)
		}
		answers = append(answers, p.send(one.Method, fill(one.Path), []byte(body), headers))
		for name, path := range one.Save {
			value, _ := lookup(answers, path)
			text, ok := value.(string)
			if !ok {
				t.Fatalf("step %d: %s is %v, want a text to save in %v", i, path, value, answers[i].body)
			}
			values[name] = text
			if name == "pid" { // REST names a patient by the number of the id
				_, values["pidnum"], _ = strings.Cut(text, "_")
			}
		}
		if one.Want == nil {
			continue
		}
		var w want
		strict(t, []byte(fill(string(one.Want))), &w)
		for _, fault := range w.unmet(answers) {
			t.Errorf("step %d: %s. %s\nRelease 0.1.0: %s\n%s: %s", i, fault, one.Note, one.Got, s.Title, s.Why)
		}
	}
}

// TestReplay sends the requests with which the faults of release 0.1.0 were found. One
// server answers all files; each file has accounts and values of its own.
func TestReplay(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/replay/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	server := start(t, dataDir(t))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s scenario
			strict(t, text, &s)
			number, _, _ := strings.Cut(name, "-")
			client := *server
			client.t = t
			client.replay(number, s)
		})
	}
	server.stop()
}

// TestReplay_EachWantCanFail: each kind of want is met by one answer and not by another.
// An empty text is an answer of status 400, after a first answer without data.
func TestReplay_EachWantCanFail(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct{ met, unmet string }{
		`{"status": 200}`:                             {`{}`, ``},
		`{"equal": {"a.1": {"b": 1}}}`:                {`{"a": [0, {"b": 1}]}`, `{"a": [{"b": 1}, 0]}`},
		`{"equal": {"a": null}}`:                      {`{"a": null}`, `{}`},
		`{"equal": {"step0.a": 1}}`:                   {`{}`, ``},
		`{"not": {"a": 1}}`:                           {`{}`, `{"a": 1}`},
		`{"absent": ["a"]}`:                           {`{}`, `{"a": null}`},
		`{"null": ["a"]}`:                             {`{}`, `{"a": 0}`},
		`{"has": ["a"]}`:                              {`{"a": null}`, `{}`},
		`{"atLeast": {"a": 2}}`:                       {`{"a": 2}`, `{"a": 1}`},
		`{"atLeast": {"a": 0}}`:                       {`{"a": 0}`, `{}`},
		`{"notContains": {"a": {"b": 1}}}`:            {`{"a": [{"b": 2}]}`, `{"a": [{"b": 2}, {"b": 1}]}`},
		`{"notContains": {"a": "b"}}`:                 {`{"a": "c"}`, `{"a": "abc"}`},
		`{"notContains": {"a": 1}}`:                   {`{"a": []}`, `{}`},
		`{"errors": true}`:                            {`{"errors": [1]}`, `{"errors": []}`},
		`{"errors": false}`:                           {`{}`, `{"errors": [1]}`},
		`{"oneOf": [{"has": ["a"]}, {"has": ["b"]}]}`: {`{"b": 1}`, `{"c": 1}`},
	} {
		var w want
		strict(t, []byte(text), &w)
		for _, try := range []struct {
			answer string
			met    bool
		}{{c.met, true}, {c.unmet, false}} {
			last := reply{status: http.StatusOK}
			first := reply{body: map[string]any{"a": 1.0}}
			if try.answer == "" {
				last.status, first.body = http.StatusBadRequest, nil
			} else if err := json.Unmarshal([]byte(try.answer), &last.body); err != nil {
				t.Fatal(err)
			}
			if faults := w.unmet([]reply{first, last}); (len(faults) == 0) != try.met {
				t.Errorf("%s of %s: %q", text, try.answer, faults)
			}
		}
	}
	if kinds := reflect.TypeFor[want]().NumField(); kinds != 10 {
		t.Errorf("a want has %d kinds: give each a case", kinds)
	}
}
