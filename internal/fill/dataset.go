package fill

import (
	"embed"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// dataset generates people. Each person depends only on the seed and on its own
// number, so a larger run starts with the people of a smaller one, and the
// order of creation does not matter.
type dataset struct {
	seed        uint64
	communities map[string]community
	places
	medicine
}

func newDataset(seed uint64) *dataset {
	return &dataset{seed, load[map[string]community]("names"), load[places]("places"), load[medicine]("medicine")}
}

//go:embed data
var files embed.FS

// load decodes a file of the directory data.
func load[T any](name string) (content T) {
	text, err := files.ReadFile("data/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(text, &content)
	}
	if err != nil {
		panic("the data of fill do not decode: " + err.Error()) //nolint:forbidigo // they are compiled in
	}
	return content
}

const patientsPerDoctor = 10

// today is the fixed day from which ages are counted. With the real day, the
// same seed would make other people tomorrow.
func today() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }

// regionOf returns the number of the region whose front desk owns the i-th
// patient or doctor.
func (d *dataset) regionOf(i int) int { return i % len(d.Regions) }

// tag makes an e-mail address or a license number unique across seeds and
// numbers.
func (d *dataset) tag(i int) string { return fmt.Sprintf("%d-%d", d.seed, i+1) }

// rng returns the random generator of one person. It need not be secure.
func (d *dataset) rng(stream uint64, i int) *rand.Rand {
	return rand.New(rand.NewPCG(d.seed, uint64(i)<<1|stream)) //nolint:gosec // G404, G115: made-up people; i is not negative
}

const (
	ofPatients uint64 = iota
	ofDoctors
)

func (d *dataset) doctor(i int) doctor {
	rng, home, field := d.rng(ofDoctors, i), d.Regions[d.regionOf(i)], d.specialty(i)
	someone := d.person(rng, home, pick(rng, "MALE", "FEMALE"))
	town := pick(rng, home.Cities...)
	experience := 2 + rng.IntN(34)
	council := fmt.Sprintf("%s/%d/F%s", town.Council, today().Year()-experience-rng.IntN(2), d.tag(i))
	return doctor{
		Name:            "Dr. " + someone.name,
		Email:           someone.email(d.tag(i), "doctors.example"),
		Phone:           phone(rng),
		Specialization:  field.name,
		LicenseNumber:   council,
		ExperienceYears: experience,
		Address:         pick(rng, d.Hospitals...) + ", " + town.address(rng),
		ConsultationFee: fmt.Sprintf("%d.00", field.Fee+50*rng.IntN(5)+50*(experience/4)),
		Availability:    pick(rng, d.Hours...),
	}
}

// specialty returns the field of the i-th doctor. The first doctor of each
// region is a general physician, who can treat everyone.
func (d *dataset) specialty(i int) specialty {
	name := d.Doctors[i/len(d.Regions)%len(d.Doctors)]
	s := d.Specialties[name]
	s.name = name
	return s
}

// assignment names a doctor by number.
type assignment struct {
	doctor int
	notes  string
}

func (d *dataset) patient(i int) (patient, []assignment) {
	rng, home := d.rng(ofPatients, i), d.Regions[d.regionOf(i)]
	gender := weighted(rng, d.Genders...)
	someone, age := d.person(rng, home, gender), d.years(rng)
	born := today().AddDate(-age, 0, -rng.IntN(365))
	assigned, history := d.assignments(rng, i, age, gender)
	p := patient{
		Name:             someone.name,
		DateOfBirth:      born.Format(time.DateOnly),
		Gender:           gender,
		Phone:            phone(rng),
		Email:            someone.email(d.tag(i), "patients.example"),
		Address:          pick(rng, home.AddressLines...),
		EmergencyContact: phone(rng),
	}
	p.Address = fmt.Sprintf(p.Address, 1+rng.IntN(240)) + ", " + pick(rng, home.Cities...).address(rng)
	if rng.IntN(100) < 92 {
		group := weighted(rng, d.BloodGroups...)
		p.BloodGroup = &group
	}
	if rng.IntN(100) < 88 {
		p.MedicalHistory = &history
	}
	return p, assigned
}

// assignments chooses one to three doctors for the i-th patient: of the
// patient's own region, suitable for age and gender, and among the doctors that
// a run with i+1 patients would make. It also returns a matching medical
// history.
func (d *dataset) assignments(rng *rand.Rand, i, age int, gender string) (assigned []assignment, history string) {
	doctors, step, first := max(1, i/patientsPerDoctor), len(d.Regions), d.regionOf(i)
	wanted := weighted(rng, chance[int]{1, 60}, chance[int]{2, 28}, chance[int]{3, 12})
	var illnesses []string
	treat := func(doctor int) {
		c := pick(rng, d.specialty(doctor).Cases...)
		assigned = append(assigned, assignment{doctor, c.Notes})
		illnesses = append(illnesses, c.History)
	}
	taken := map[string]bool{}
	for tries := 0; tries < 12 && len(assigned) < wanted && first < doctors; tries++ {
		doctor := first + step*rng.IntN((doctors-first+step-1)/step)
		if s := d.specialty(doctor); s.suits(age, gender) && !taken[s.name] {
			taken[s.name] = true
			treat(doctor)
		}
	}
	if len(assigned) == 0 {
		treat(first % min(doctors, step)) // a general physician
	}
	return assigned, strings.Join(illnesses, " ") + " " + pick(rng, d.Allergies...)
}

func (d *dataset) years(rng *rand.Rand) int {
	band := weighted(rng, d.Ages...)
	return band.From + rng.IntN(band.To-band.From)
}

// person returns someone of a community of the region.
func (d *dataset) person(rng *rand.Rand, home region, gender string) person {
	return d.communities[weighted(rng, home.People...)].person(rng, gender)
}

// phone returns an Indian mobile number.
func phone(rng *rand.Rand) string {
	return fmt.Sprintf("%d%09d", 6+rng.IntN(4), rng.IntN(1_000_000_000))
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// chance is a value with its weight.
type chance[T any] struct {
	Value  T
	Weight int
}

func weighted[T any](rng *rand.Rand, chances ...chance[T]) T {
	sum := 0
	for _, c := range chances {
		sum += c.Weight
	}
	left, last := rng.IntN(sum), len(chances)-1
	for _, c := range chances[:last] {
		if left < c.Weight {
			return c.Value
		}
		left -= c.Weight
	}
	return chances[last].Value
}
