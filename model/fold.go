package model

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold returns a text as names are compared, searched and sorted: regardless of case,
// accents, kinds of apostrophes, invisible characters and the amount of white space.
// Letters with a stroke are plain letters, and a chillu is its consonant with a virama.
// Vowel signs and viramas distinguish names, so they stay.
func Fold(text string) string {
	if isASCII(text) {
		return strings.Join(strings.Fields(strings.ToLower(text)), " ")
	}
	text = foldChillus.Replace(norm.NFKD.String(text))
	text = foldCase(text)
	text = strings.Map(foldLetter, text)
	// A dropped character may have kept marks from their canonical order.
	return norm.NFKD.String(strings.Join(strings.Fields(text), " "))
}

// foldChillus has the chillu letters of Malayalam.
var foldChillus = strings.NewReplacer(
	"\u0d54", "\u0d2e\u0d4d", "\u0d55", "\u0d2f\u0d4d", "\u0d56", "\u0d34\u0d4d", "\u0d7a", "\u0d23\u0d4d", "\u0d7b", "\u0d28\u0d4d",
	"\u0d7c", "\u0d30\u0d4d", "\u0d7d", "\u0d32\u0d4d", "\u0d7e", "\u0d33\u0d4d", "\u0d7f", "\u0d15\u0d4d",
)

// strokes has the small letters with a stroke or a bar that no Unicode form decomposes, and their
// plain letters.
const strokes = "ⱥaƀbȼcđdɇeǥgꞡgħhɨiɉjꝁkꝃkꝅkꞣkłlⱡlꝉlꞥnøoɵoꝋoᵽpꝑpꝗqꝙqɍrꞧrꞩsŧtⱦtʉuɏyƶz"

// foldLetter maps a case-folded, decomposed character; -1 drops it.
func foldLetter(r rune) rune {
	switch {
	case r < 0xad:
		return r
	case r == '\u2018' || r == '\u2019' || r == '\u02bc':
		return '\''
	case isAccent(r) || isIgnorable(r):
		return -1
	}
	if i := strings.IndexRune(strokes, r); i >= 0 {
		return rune(strokes[i+len(string(r))])
	}
	return r
}

// isAccent reports whether a character is a mark that does not distinguish names: the
// combining diacritical marks, and the vowel marks and hamzas of Arabic scripts.
func isAccent(r rune) bool { return isDiacritic(r) || r >= 0x064b && r <= 0x0655 || r == 0x0670 }

func isDiacritic(r rune) bool { return r >= 0x0300 && r <= 0x036f }

// FoldKey returns the folded texts, joined by spaces, for a column next to the one that
// the database generates with its function fold, which knows case and accents only. It
// returns nil if that column has the same texts, as for nearly all names.
func FoldKey(texts ...string) *string {
	for _, text := range texts {
		if !isPlain(text) && Fold(text) != generatedFold(text) {
			return new(FoldAll(texts...))
		}
	}
	return nil
}

// FoldAll returns the folded texts, joined by spaces.
func FoldAll(texts ...string) string {
	folded := make([]string, len(texts))
	for i, text := range texts {
		folded[i] = Fold(text)
	}
	return strings.Join(folded, " ")
}

// isPlain reports whether a text is printable ASCII with single spaces.
func isPlain(text string) bool {
	space := true
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' || text[i] == ' ' && space {
			return false
		}
		space = text[i] == ' '
	}
	return text == "" || !space
}

// generatedFold returns what the function fold of the database makes of a text without
// upper case beyond ASCII, whose small letters depend on the database's locale.
func generatedFold(text string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII {
			return unicode.ToLower(r)
		}
		if isDiacritic(r) {
			return -1
		}
		return r
	}, norm.NFKD.String(text))
}
