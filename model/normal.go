package model

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// This file has one normalizing step for each kind of text. What is stored, what is
// unique, what signs in and what a search finds all use it.

// isIgnorable reports whether a character has the property Default_Ignorable_Code_Point
// of Unicode: it prints nothing by itself.
func isIgnorable(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r >= 0xfff9 && r <= 0xfffb, r >= 0x13430 && r <= 0x1343f: // annotations, joiners of hieroglyphs
		return false
	default:
		return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) &&
			!unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
}

// isBlank reports whether a text has nothing but white space and ignorable characters.
func isBlank(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsSpace(r) && !isIgnorable(r) })
}

// isOverride reports whether a character overrides or embeds a direction: U+202A to
// U+202E. In a name it can make a text read as another one.
func isOverride(r rune) bool { return r >= 0x202a && r <= 0x202e }

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// drop returns the text without the characters.
func drop(text string, unwanted func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if unwanted(r) {
			return -1
		}
		return r
	}, text)
}

// normalUsername returns a username as it is stored: in NFKC, without white space
// around it and without ignorable characters.
func normalUsername(text string) string {
	if !isASCII(text) {
		text = norm.NFKC.String(drop(norm.NFKC.String(text), isIgnorable))
	}
	return strings.TrimSpace(text)
}

// UsernameKey returns what makes a username unique: it in NFKC, without ignorable
// characters, case folded.
func UsernameKey(username string) string { return caseless(normalUsername(username)) }

// caseless returns a text in NFKC, without ignorable characters, case folded.
func caseless(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	return norm.NFKC.String(foldCase(norm.NFKD.String(drop(text, isIgnorable))))
}

// LicenseKey returns what makes a license number unique: it in NFKC, without
// ignorable characters and white space. Letter case counts.
func LicenseKey(number string) string {
	return norm.NFKC.String(drop(norm.NFKC.String(number), func(r rune) bool { return unicode.IsSpace(r) || isIgnorable(r) }))
}

// NormalPassword returns a password as it is hashed: in NFC, because keyboards compose
// letters in different ways.
func NormalPassword(password string) string { return norm.NFC.String(password) }

// foldCase folds the case of every letter, also of those whose folded form is longer.
func foldCase(text string) string {
	return strings.Map(func(r rune) rune { // cases.Fold swaps the cases of Cherokee
		switch {
		case r >= 0x13a0 && r <= 0x13ef:
			return r - 0x13a0 + 0xab70
		case r >= 0x13f0 && r <= 0x13f5:
			return r - 0x13f0 + 0x13f8
		default:
			return r
		}
	}, cases.Fold().String(text))
}
