package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/caregraph/caregraph/internal/form"
	"github.com/caregraph/caregraph/internal/surrogates"
	"github.com/caregraph/caregraph/model"
)

const (
	mediaJSON      = "application/json"
	mediaForm      = "application/x-www-form-urlencoded"
	mediaMultipart = "multipart/form-data"
)

// acceptable reports whether the client accepts JSON. Clients that ask for HTML
// got a page here from the system that this one replaces; they get JSON now.
func acceptable(header http.Header) bool {
	accept := strings.Join(header.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return true
	}
	for wanted := range strings.SplitSeq(accept, ",") {
		media, parameters, err := mime.ParseMediaType(wanted)
		if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
			continue
		}
		switch media {
		case "*/*", "application/*", mediaJSON, "text/*", "text/html":
			q, err := strconv.ParseFloat(parameters["q"], 64)
			if err != nil || q > 0 {
				return true
			}
		}
	}
	return false
}

// readBody returns the members of the object, or the fields of the form, in the
// body of the request. Strings, numbers (as json.Number), booleans, null (nil)
// and nested values stay as they were sent; of several members with one name
// the last one counts. A missing body counts as an empty one.
func readBody(r *http.Request) (map[string]any, *answer) {
	if r.ContentLength == 0 {
		return map[string]any{}, nil
	}
	content := r.Header.Get("Content-Type")
	media, parameters, err := mime.ParseMediaType(content)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		media = ""
	}
	switch media {
	case mediaJSON, mediaForm, mediaMultipart:
	default:
		return nil, detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+content+`" in request.`)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, readError(err)
	}
	switch media {
	case mediaJSON:
		return decodeJSON(body)
	case mediaForm:
		return decodeForm(body), nil
	default:
		return decodeMultipart(body, parameters["boundary"])
	}
}

func readError(err error) *answer {
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return detail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The request body is longer than %d bytes.", large.Limit))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return detail(http.StatusRequestTimeout, "The request body did not arrive in time.")
	}
	return detail(http.StatusBadRequest, "The request body did not arrive in full.")
}

// decodeJSON never quotes the body, which could contain anything.
func decodeJSON(body []byte) (map[string]any, *answer) {
	if !utf8.Valid(body) {
		return nil, detail(http.StatusBadRequest, "JSON parse error - The text is not UTF-8.")
	}
	if model.IsDeepJSON(body) {
		return nil, detail(http.StatusBadRequest, "JSON parse error - The text nests too deep.")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, detail(http.StatusBadRequest, "JSON parse error - "+position(body, err))
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, detail(http.StatusBadRequest, "JSON parse error - "+position(body, err))
	}
	switch value := value.(type) {
	case map[string]any:
		if surrogates.HasHalf(body) {
			markHalfCharacters(value, whole)
		}
		return value, nil
	case nil:
		return nil, invalid("No data provided")
	default:
		return nil, invalid("Invalid data. Expected a dictionary, but got " + typeName(value) + ".")
	}
}

// markHalfCharacters replaces the members with half a surrogate pair, for which the
// decoder has put another character.
func markHalfCharacters(members map[string]any, object json.RawMessage) {
	var raw map[string]json.RawMessage
	if json.Unmarshal(object, &raw) != nil {
		return // cannot happen: it was decoded before
	}
	for name, value := range raw {
		if surrogates.HasHalf(value) {
			members[name] = notText{}
		}
	}
}

// position says where the JSON is invalid, counted in characters.
func position(body []byte, err error) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return "Unexpected value"
	}
	before := body[:max(0, min(int(syntax.Offset)-1, len(body)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("Unexpected text: line %d column %d (char %d)",
		bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(line)+1, utf8.RuneCount(before))
}

// typeName returns the name of a type in error messages, as the replaced system
// wrote it.
func typeName(value any) string {
	switch value := value.(type) {
	case []any:
		return "list"
	case string:
		return "str"
	case bool:
		return "bool"
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return "float"
		}
		return "int"
	default:
		return "dict"
	}
}

func decodeForm(body []byte) map[string]any {
	values := form.Parse(string(body))
	fields := make(map[string]any, len(values))
	for name, all := range values {
		fields[name] = formText(all[len(all)-1])
	}
	return fields
}

// notText stands for a value that none of our fields accepts: a file, or half a
// character.
type notText struct{}

// formText returns the value of a field: its text, unless it is damaged.
func formText(value string) any {
	if !utf8.ValidString(value) {
		return notText{}
	}
	return value
}

func decodeMultipart(body []byte, boundary string) (map[string]any, *answer) {
	broken := detail(http.StatusBadRequest, "Multipart form parse error - The body is not encoded as its header says.")
	if boundary == "" {
		return nil, broken
	}
	fields := map[string]any{}
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, broken
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, broken
		}
		if part.FileName() != "" {
			fields[part.FormName()] = notText{}
			continue
		}
		fields[part.FormName()] = formText(string(value))
	}
}
