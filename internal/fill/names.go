package fill

import (
	"math/rand/v2"
	"strings"
)

// community is a group of people whose names come from the same lists. The
// communities of names.json are far from complete for India.
type community struct {
	Men, Women, Families words
	// MaleMiddle and FemaleMiddle go between the two names, such as Singh and
	// Kaur.
	MaleMiddle, FemaleMiddle string
}

// words is a list that is written as one text.
type words []string

func (w *words) UnmarshalText(text []byte) error {
	*w = strings.Fields(string(text))
	return nil
}

type person struct{ name string }

func (c community) person(rng *rand.Rand, gender string) person {
	given, middle := c.Men, c.MaleMiddle
	if gender == "FEMALE" || gender == "OTHER" && rng.IntN(2) == 0 {
		given, middle = c.Women, c.FemaleMiddle
	}
	return person{strings.Join(strings.Fields(pick(rng, given...)+" "+middle+" "+pick(rng, c.Families...)), " ")}
}

// email returns an address at a domain that RFC 2606 reserves, so that it
// belongs to no one.
func (p person) email(tag, domain string) string {
	return strings.ToLower(strings.ReplaceAll(p.name, " ", ".")) + "." + tag + "@" + domain
}
