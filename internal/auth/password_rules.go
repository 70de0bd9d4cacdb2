package auth

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/data"

	"github.com/caregraph/caregraph/model"
)

const (
	minPasswordLength = 8
	// maxPasswordLength bounds the input of the hash. No one types a longer
	// passphrase.
	maxPasswordLength = 128
	// maxSimilarity is Django's bound: two texts that share seven tenths of
	// their characters are similar.
	maxSimilarity = 0.7
	// minPartLength is the length of the shortest name that a password must not
	// contain: "ravi" within "gravity" is chance.
	minPartLength = 5
)

// CheckPassword returns all reasons why the password is too weak for a new
// account or a change, as errors of the field with code WEAK_PASSWORD. It
// returns nil for a strong password. Length counts characters, without the
// white space around the password, which is never part of it. No message quotes
// the input.
//
// Its time is linear in the length of the input.
func CheckPassword(field, password, username, email string) []model.FieldError {
	password = normalPassword(password)
	var faults []model.FieldError
	refuse := func(broken bool, message string, params ...model.ErrorParam) {
		if broken {
			faults = append(faults, model.FieldError{Field: field, Code: model.CodeWeakPassword, Message: message, Params: params})
		}
	}
	length := utf8.RuneCountInString(password)
	refuse(length < minPasswordLength,
		"This password is too short. It must contain at least "+strconv.Itoa(minPasswordLength)+" characters.",
		model.IntParam("min", minPasswordLength))
	refuse(length > maxPasswordLength,
		"This password is too long. It must contain no more than "+strconv.Itoa(maxPasswordLength)+" characters.",
		model.IntParam("max", maxPasswordLength))
	refuse(isCommon(password), "This password is too common.")
	refuse(isNumeric(password), "This password is entirely numeric.")
	refuse(isSimilar(password, username), "The password is too similar to the username.")
	refuse(isSimilar(password, email), "The password is too similar to the email address.")
	return faults
}

func isNumeric(password string) bool {
	return password != "" && strings.IndexFunc(password, func(r rune) bool { return !unicode.IsDigit(r) }) < 0
}

// Common passwords.

const (
	// maxCommonBytes is longer than the longest common password with a suffix.
	maxCommonBytes = 40
	// topPasswords is the number of entries of the list that are also refused
	// with a suffix.
	topPasswords = 100
)

// commonSuffix splits a password into a word and what people append to a word
// when a form asks for digits and marks: 1, 123, @123, 2024!
var commonSuffix = regexp.MustCompile(`^(.+?)[@#$!._*-]?(?:0?1|12|123|1234|12345|123456|007|786|(?:19|20)\d\d)?[@#$!.*]?$`)

// commonPasswords returns the rank of each common password, by its folded form.
// It decodes the compressed data of the library when the first password is
// checked, and keeps about 300 KB from then on. The other packages of that
// library are not used: they decode 80,000 names and words at start, and their
// work grows with the square of the password's length.
var commonPasswords = sync.OnceValue(func() map[string]int {
	var asset struct{ List []string }
	if err := json.Unmarshal(data.MustAsset("data/Passwords.json"), &asset); err != nil {
		panic("the list of common passwords does not decode: " + err.Error()) //nolint:forbidigo // it is compiled in
	}
	ranks := make(map[string]int, len(asset.List))
	for rank, password := range asset.List {
		if _, known := ranks[fold(password)]; !known {
			ranks[fold(password)] = rank
		}
	}
	// The list is of English speakers. These words lead the published lists
	// about India.
	for _, word := range []string{"admin", "india", "abcd", "welcome"} {
		ranks[fold(word)] = 0
	}
	return ranks
})

// isCommon reports whether the password, in any spelling, is in the list, or is
// one of the most common ones with a usual suffix.
func isCommon(password string) bool {
	if password == "" || len(password) > maxCommonBytes {
		return false
	}
	ranks := commonPasswords()
	if _, listed := ranks[fold(password)]; listed {
		return true
	}
	split := commonSuffix.FindStringSubmatch(password)
	if split == nil {
		return false
	}
	rank, listed := ranks[fold(split[1])]
	return listed && rank < topPasswords
}

// fold maps all spellings of a word to one: lower case, and for each digit or
// mark the letter that it replaces in l33t. The list is folded too, so one
// lookup replaces dozens of permutations.
func fold(word string) string {
	const (
		replaced = "4@8({[<3691!|l05$7+%2" // 1 is written for both i and l
		letters  = "aabcccceggiiiiossttxz"
	)
	return strings.Map(func(r rune) rune {
		r = unicode.ToLower(r)
		if i := strings.IndexRune(replaced, r); i >= 0 {
			return rune(letters[i])
		}
		return r
	}, word)
}

// Likeness to the user's own names.

// maxNameBytes is longer than any valid user name or e-mail address. Their own
// rules refuse longer ones.
const maxNameBytes = 320

// isSimilar compares the password with the name, with the part before its @,
// and, as Django does, with each of its words.
func isSimilar(password, name string) bool {
	if name == "" || len(name) > maxNameBytes {
		return false
	}
	password, name = strings.ToLower(password), strings.ToLower(name)
	local, _, _ := strings.Cut(name, "@")
	for _, whole := range []string{name, local} {
		if utf8.RuneCountInString(whole) >= minPartLength && strings.Contains(password, whole) {
			return true
		}
		if similarity(password, whole) >= maxSimilarity {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if similarity(password, word) >= maxSimilarity {
			return true
		}
	}
	return false
}

// similarity returns the share of characters that two texts have in common,
// regardless of order: from 0 to 1, Python's SequenceMatcher.quick_ratio.
func similarity(a, b string) float64 {
	inA, inB := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	most := 2 * float64(min(inA, inB)) / float64(inA+inB)
	if inA == 0 || inB == 0 || most < maxSimilarity {
		return 0 // the lengths differ too much to reach the bound: no need to count
	}
	counts := make(map[rune]int, inB)
	for _, r := range b {
		counts[r]++
	}
	common := 0
	for _, r := range a {
		if counts[r] > 0 {
			counts[r]--
			common++
		}
	}
	return 2 * float64(common) / float64(inA+inB)
}
