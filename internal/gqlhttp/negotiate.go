package gqlhttp

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of responses. The first one is the default.
const (
	mediaResponse = "application/graphql-response+json"
	mediaJSON     = "application/json"
)

// negotiate chooses the media type of the response by the header Accept (RFC
// 9110, 12.5.1). If it allows no JSON, the response is sent as events. It reports false if
// Accept does not allow that either. Among types of
// equal weight the first one wins. Without a preference it returns the type
// that the specification prefers.
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
	case acceptsEvents(header):
		return mediaEvents, true
	default:
		return "", false
	}
}

// jsonMedia returns the media type of an answer that is JSON in any case.
func jsonMedia(r *http.Request) string {
	switch media, ok := negotiate(r.Header); {
	case !ok:
		return mediaJSON
	case media == mediaEvents:
		return mediaResponse
	default:
		return media
	}
}

// preference is what Accept says about one media type, from the most specific
// range that matches it.
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

// mediaType parses like mime.ParseMediaType, but without its cost and its
// errors if there are no parameters: an invalid name matches none of our types.
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

// utf8Charset reports whether the parameter charset is absent or names UTF-8. JSON has no
// such parameter (RFC 8259, 11), and clients write utf8, too.
func utf8Charset(parameters map[string]string) bool {
	charset := parameters["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// weight returns the quality value, or 0 if it is invalid.
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
