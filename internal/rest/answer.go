package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// answer is the response to send.
type answer struct {
	status int
	// body is a value that encode accepts. If it is nil, json is the body,
	// unless the status forbids one.
	body any
	json []byte
	// more holds the entries after those in json; nil if there are no more.
	more *pages
	// etag is the tag of the record, also of a record whose version caused a
	// conflict.
	etag, location string
	retryAfter     int // seconds; 0: the request will fail again
}

// detail returns the answer that refuses a whole request.
func detail(status int, text string) *answer {
	return &answer{status: status, body: object{{"detail", text}}}
}

// notFound returns the answer for a record that does not exist for the caller,
// for every method.
func notFound() *answer { return detail(http.StatusNotFound, "Not found.") }

// hasBody reports whether responses with the status have a body (RFC 9110, 15).
func (a *answer) hasBody() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// setHeaders sets the headers that do not depend on how the body is sent.
func (a *answer) setHeaders(header http.Header) {
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	if a.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	if a.location != "" {
		header.Set("Location", a.location)
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

// tagged reports whether the answer contains or confirms a representation of
// the record with the tag.
func (a *answer) tagged() bool {
	return a.etag != "" && a.status != http.StatusNoContent && a.status < http.StatusBadRequest
}

// object is a JSON object that keeps the order of its members.
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
