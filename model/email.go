package model

import (
	"io"
	"net/mail"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// EmailAddress is an e-mail address: trimmed, in lower case and in NFC, with a domain
// in letters or in Punycode as it was sent.
type EmailAddress string

const (
	maxEmail  = 254 // octets; RFC 5321, 4.5.3.1.3
	maxLocal  = 64  // octets; RFC 5321, 4.5.3.1.1
	maxDomain = 253 // characters without the last dot; RFC 1035, 2.3.4
	maxLabel  = 63
)

// punycode begins a label of a domain that stands for letters beyond ASCII.
const punycode = "xn--"

// domains converts and checks internationalized domains (UTS 46, not transitional).
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true),
	idna.VerifyDNSLength(true), idna.BidiRule(), idna.CheckJoiners(true))

// ParseEmail trims the text and writes it in lower case and in NFC.
func ParseEmail(text string) EmailAddress {
	text = strings.ToLower(strings.TrimSpace(text))
	if isASCII(text) {
		return EmailAddress(text)
	}
	text = norm.NFC.String(text)
	local, domain := splitEmail(text)
	if mapped, err := domains.ToUnicode(domain); err == nil && !isASCII(domain) && !strings.ContainsFunc(domain, invisible) {
		return EmailAddress(local + "@" + mapped)
	}
	return EmailAddress(text)
}

func splitEmail(text string) (local, domain string) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text, ""
	}
	return text[:at], text[at+1:]
}

// Valid reports whether the address is an addr-spec of RFC 5322 without comments,
// quoting and invisible characters, in a possible domain with a dot, of at most 254
// octets with at most 64 before the @.
func (e EmailAddress) Valid() bool {
	text := string(e)
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || len(text) > maxEmail {
		return false
	}
	local, domain := splitEmail(text)
	if len(local) > maxLocal || strings.ContainsFunc(local, isIgnorable) || strings.ContainsFunc(text, invisible) {
		return false
	}
	ascii, err := asciiDomain(domain)
	return err == nil && possibleDomain(ascii)
}

// invisible reports whether a character cannot be in an address: an ignorable character
// other than the joiners, which IDNA allows between some letters, and the sign for text
// that was damaged.
func invisible(r rune) bool {
	return r == utf8.RuneError || isIgnorable(r) && r != '\u200c' && r != '\u200d'
}

// asciiDomain returns a domain in A-labels.
func asciiDomain(domain string) (string, error) {
	if isASCII(domain) && !strings.Contains(domain, punycode) {
		return domain, nil
	}
	return domains.ToASCII(domain)
}

// possibleDomain reports whether a domain in ASCII has at least two labels of letters,
// digits and inner hyphens.
func possibleDomain(domain string) bool {
	labels := 0
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
		labels++
	}
	return labels > 1 && len(domain) <= maxDomain
}

// Key returns the address with its domain in A-labels, so that the same address in
// letters and in Punycode has one key. It returns nil for an address that can be
// written in one way only: in ASCII without Punycode.
func (e EmailAddress) Key() *string {
	text := string(e)
	if isASCII(text) && !strings.Contains(text, punycode) {
		return nil
	}
	return new(string(e.Canonical()))
}

// Canonical returns the address with its domain in A-labels, if it is valid.
func (e EmailAddress) Canonical() EmailAddress {
	local, domain := splitEmail(string(ParseEmail(string(e))))
	ascii, err := asciiDomain(domain)
	if err != nil || domain == "" {
		return e
	}
	return EmailAddress(local + "@" + ascii)
}

// MarshalGQL writes the address as a JSON string.
func (e EmailAddress) MarshalGQL(w io.Writer) { writeJSON(w, string(e)) }

// UnmarshalGQL takes a string.
func (e *EmailAddress) UnmarshalGQL(v any) error {
	return readText(v, e, ParseEmail, "an e-mail address")
}
