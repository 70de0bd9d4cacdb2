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
	if strings.TrimSpace(accept) == "" {
		return mediaResponse, true
	}
	ranges := strings.Split(accept, ",")
	best, chosen := preference{}, ""
	for _, media := range []string{mediaResponse, mediaJSON} {
		if p := prefer(ranges, media); p.weight > 0 && (chosen == "" || p.above(best)) {
			best, chosen = p, media
		}
	}
	return chosen, chosen != ""
}

// preference is what Accept says of one media type, by the most specific range
// that covers it.
type preference struct {
	weight      float64
	specificity int
	position    int
}

func (p preference) above(other preference) bool {
	if p.weight != other.weight {
		return p.weight > other.weight
	}
	return p.position < other.position
}

func prefer(ranges []string, media string) preference {
	var best preference
	for i, part := range ranges {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil || !utf8Charset(parameters) {
			continue
		}
		if s := specificity(name, media); s > best.specificity {
			best = preference{weight: weight(parameters), specificity: s, position: i}
		}
	}
	return best
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
