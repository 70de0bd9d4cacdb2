package fill

import (
	"fmt"
	"math/rand/v2"
)

// places is the content of places.json.
type places struct {
	Regions []region
	// Hospitals are made up.
	Hospitals []string
	// Hours are when doctors see patients.
	Hours []string
}

// region is the area of one front desk: its cities and its people.
type region struct {
	Cities []city
	// AddressLines are formats of the first line of an address, with a place
	// for a number.
	AddressLines []string
	// People are communities by name.
	People []chance[string]
}

type city struct {
	Name, State string
	// Council is the medical council of the state, as in license numbers.
	Council string
	// Areas are parts of the city with their PIN codes.
	Areas []struct {
		Name string
		PIN  int
	}
}

func (c city) address(rng *rand.Rand) string {
	a := pick(rng, c.Areas...)
	return fmt.Sprintf("%s, %s, %s %d", a.Name, c.Name, c.State, a.PIN)
}
