package model

// maxJSONDepth is how deep JSON of a client may nest. Ours nests to about 5.
const maxJSONDepth = 64

// IsDeepJSON reports whether JSON nests deeper than any input does. A decoder of JSON
// should not see it: its time and memory grow with the depth.
func IsDeepJSON(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++ // the next character does not end the string
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
