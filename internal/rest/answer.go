package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer is what is sent.
type answer struct {
	status int
	// body is anything that encode takes. Without one, json is the body, if the
	// status lets it have one.
	body any
	json []byte
	// more is what comes after the entries in json; nil if that is all.
	more *pages
	// etag is that of the record, also of one that stands in the way.
	etag, location, retryAfter string
}

// detail is the answer to a request that is refused as a whole.
func detail(status int, text string) *answer {
	return &answer{status: status, body: object{{"detail", text}}}
}

// notFound is the answer about a record that does not exist for the caller, to
// whichever method.
func notFound() *answer { return detail(http.StatusNotFound, "Not found.") }

// hasBody reports whether answers with the status have one (RFC 9110, 15).
func (a *answer) hasBody() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// setHeaders are those that do not depend on how the body is sent.
func (a *answer) setHeaders(header http.Header) {
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	for name, value := range map[string]string{"Retry-After": a.retryAfter, "Location": a.location} {
		if value != "" {
			header.Set(name, value)
		}
	}
	if a.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="api"`)
	}
	if a.tagged() {
		header.Set("ETag", a.etag)
	}
	if a.hasBody() {
		header.Set("Content-Type", mediaJSON)
	}
}

// tagged reports whether the answer is or confirms a representation of the
// record that the tag is of.
func (a *answer) tagged() bool {
	return a.etag != "" && a.status != http.StatusNoContent && a.status < http.StatusBadRequest
}

// object is a JSON object with its members in order.
type object []member

type member struct {
	name  string
	value any
}

// encode writes compact JSON without the escapes that only HTML needs.
func encode(b *bytes.Buffer, value any) {
	switch value := value.(type) {
	case object:
		b.WriteByte('{')
		for i, m := range value {
			writeComma(b, i)
			encode(b, m.name)
			b.WriteByte(':')
			encode(b, m.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, v := range value {
			writeComma(b, i)
			encode(b, v)
		}
		b.WriteByte(']')
	default:
		encoder := json.NewEncoder(b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			panic(err) //nolint:forbidigo // texts, numbers and booleans always have a JSON form
		}
		b.Truncate(b.Len() - 1) // the line end
	}
}

func writeComma(b *bytes.Buffer, i int) {
	if i > 0 {
		b.WriteByte(',')
	}
}
