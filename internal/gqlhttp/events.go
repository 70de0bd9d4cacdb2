package gqlhttp

import (
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// mediaEvents is the type of server-sent events.
const mediaEvents = "text/event-stream"

// acceptsEvents reports whether the header Accept names the type. A range such as */* does
// not: its client expects JSON.
func acceptsEvents(header http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(header.Values("Accept"), ","), ",") {
		name, parameters, err := mediaType(part)
		if err == nil && name == mediaEvents && weight(parameters) > 0 {
			return true
		}
	}
	return false
}

// AppendEvent appends the server-sent event with a response, whose JSON is one line.
func AppendEvent(b []byte, response *graphql.Response) ([]byte, error) {
	b, err := AppendResponse(append(b, eventNext...), response)
	return append(b, eventEnd...), err
}

// AppendComplete appends the event after the last response. Browsers ignore an event without
// a line of data.
func AppendComplete(b []byte) []byte { return append(b, "event: complete\ndata:\n\n"...) }

const (
	eventNext = "event: next\ndata: "
	eventEnd  = "\n\n"
)

// Respond sends a response in the media type that the client wants.
func Respond(w http.ResponseWriter, r *http.Request, response *graphql.Response) {
	respond(w, r, jsonMedia(r), response)
}
