// Package form reads application/x-www-form-urlencoded text as browsers do.
package form

import (
	"net/url"
	"strings"
)

// Parse reads names and values (WHATWG URL, 5.1). Every text is a form: only & separates,
// and a percent sign without two hexadecimal digits stays as it is. net/url refuses a
// semicolon and such a percent sign. Bytes that are not UTF-8 stay, for the caller to
// refuse: browsers never send them, and U+FFFD in their place would be stored.
func Parse(text string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			values.Add(decode(name), decode(value))
		}
	}
	return values
}

func decode(text string) string {
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			b = append(b, hex(text[i+1])<<4|hex(text[i+2]))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func hex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&0xF + 9 // letters of both cases
}
