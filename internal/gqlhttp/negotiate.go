package gqlhttp

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The two media types of answers. The first is the default.
const (
	mediaResponse = "application/graphql-response+json"
	mediaJSON     = "application/json"
)

// negotiate chooses the media type of the answer by the header Accept
// (RFC 9110, 12.5.1), and reports false if it admits none of the two. Among
// types of equal weight the one named first wins; a caller who does not say
// gets the type that the specification prefers.
func negotiate(header http.Header) (string, bool) {
	accept := strings.Join(header.Values("Accept"), ",")
	if accept == "*/*" || strings.TrimSpace(accept) == "" {
		return mediaResponse, true
	}
	response, json := preferences(accept)
	switch {
	case response.weight > 0 && !json.preferredTo(response):
		return mediaResponse, true
	case json.weight > 0:
		return mediaJSON, true
	default:
		return "", false
	}
}

// preference is what Accept says of one media type, by the most specific range
// that covers it.
type preference struct {
	weight      float64
	specificity int
	position    int
}

func (p preference) preferredTo(other preference) bool {
	if p.weight != other.weight {
		return p.weight > other.weight
	}
	return p.position < other.position
}

func preferences(accept string) (response, json preference) {
	position := 0
	for part := range strings.SplitSeq(accept, ",") {
		position++
		name, parameters, err := mediaType(part)
		if err != nil || !utf8Charset(parameters) {
			continue
		}
		if s := specificity(name, mediaResponse); s > response.specificity {
			response = preference{weight(parameters), s, position}
		}
		if s := specificity(name, mediaJSON); s > json.specificity {
			json = preference{weight(parameters), s, position}
		}
	}
	return response, json
}

// mediaType is mime.ParseMediaType, without its cost where there are no
// parameters, and without its errors there: such a name is none of ours.
func mediaType(text string) (name string, parameters map[string]string, err error) {
	if strings.Contains(text, ";") {
		return mime.ParseMediaType(text)
	}
	return strings.TrimSpace(strings.ToLower(text)), nil, nil
}

func specificity(name, media string) int {
	switch name {
	case media:
		return 3
	case "application/*":
		return 2
	case "*/*":
		return 1
	default:
		return 0
	}
}

func utf8Charset(parameters map[string]string) bool {
	charset, ok := parameters["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// weight returns the quality value, 0 for one that makes no sense.
func weight(parameters map[string]string) float64 {
	text, ok := parameters["q"]
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
