package fill

import (
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
	regions     []region
	specialties []specialty
}

func newDataset(seed uint64) *dataset {
	return &dataset{seed: seed, regions: regions(communities()), specialties: specialties()}
}

const patientsPerDoctor = 10

// today is the fixed day from which ages are counted. With the real day, the
// same seed would make other people tomorrow.
func today() time.Time { return time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC) }

// regionOf returns the number of the region whose front desk owns the i-th
// patient or doctor.
func (d *dataset) regionOf(i int) int { return i % len(d.regions) }

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
	rng, home, field := d.rng(ofDoctors, i), d.regions[d.regionOf(i)], d.specialty(i)
	someone := home.person(rng, pick(rng, "MALE", "FEMALE"))
	town := pick(rng, home.cities...)
	experience := 2 + rng.IntN(34)
	council := fmt.Sprintf("%s/%d/F%s", town.council, today().Year()-experience-rng.IntN(2), d.tag(i))
	return doctor{
		Name:            "Dr. " + someone.name,
		Email:           someone.email(d.tag(i), "doctors.example"),
		Phone:           phone(rng),
		Specialization:  field.name,
		LicenseNumber:   council,
		ExperienceYears: experience,
		Address:         pick(rng, hospitals()...) + ", " + town.address(rng),
		ConsultationFee: fmt.Sprintf("%d.00", field.fee+50*rng.IntN(5)+50*(experience/4)),
		Availability:    pick(rng, hours()...),
	}
}

// specialty returns the field of the i-th doctor. The first doctor of each
// region is a general physician, who can treat everyone.
func (d *dataset) specialty(i int) specialty {
	return d.specialties[i/len(d.regions)%len(d.specialties)]
}

// assignment names a doctor by number.
type assignment struct {
	doctor int
	notes  string
}

func (d *dataset) patient(i int) (patient, []assignment) {
	rng, home := d.rng(ofPatients, i), d.regions[d.regionOf(i)]
	gender := weighted(rng, share("FEMALE", 514), share("MALE", 482), share("OTHER", 4))
	someone, age := home.person(rng, gender), years(rng)
	born := today().AddDate(-age, 0, -rng.IntN(365))
	assigned, history := d.assignments(rng, i, age, gender)
	p := patient{
		Name:             someone.name,
		DateOfBirth:      born.Format(time.DateOnly),
		Gender:           gender,
		Phone:            phone(rng),
		Email:            someone.email(d.tag(i), "patients.example"),
		Address:          pick(rng, home.addressLines...),
		EmergencyContact: phone(rng),
	}
	p.Address = fmt.Sprintf(p.Address, 1+rng.IntN(240)) + ", " + pick(rng, home.cities...).address(rng)
	if rng.IntN(100) < 92 {
		group := bloodGroup(rng)
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
	doctors, step, first := max(1, i/patientsPerDoctor), len(d.regions), d.regionOf(i)
	wanted := weighted(rng, share(1, 60), share(2, 28), share(3, 12))
	var illnesses []string
	treat := func(doctor int) {
		c := pick(rng, d.specialty(doctor).cases...)
		assigned = append(assigned, assignment{doctor, c.notes})
		illnesses = append(illnesses, c.history)
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
	return assigned, strings.Join(illnesses, " ") + " " + pick(rng, allergies()...)
}

// years returns an age as in a waiting room: the very young and the old are
// more frequent than in the population.
func years(rng *rand.Rand) int {
	type band struct{ from, to int }
	b := weighted(rng,
		share(band{0, 5}, 10), share(band{5, 15}, 12), share(band{15, 25}, 13), share(band{25, 35}, 16),
		share(band{35, 45}, 15), share(band{45, 55}, 13), share(band{55, 65}, 11), share(band{65, 75}, 7),
		share(band{75, 95}, 3))
	return b.from + rng.IntN(b.to-b.from)
}

// bloodGroup follows Agrawal et al. 2014, ABO and Rh(D) in 10,000 donors of
// five regions of India: O 37, B 32, A 23, AB 8 in a hundred, 95 of them Rh(D)
// positive.
func bloodGroup(rng *rand.Rand) string {
	return weighted(rng,
		share("O_POSITIVE", 351), share("B_POSITIVE", 305), share("A_POSITIVE", 216), share("AB_POSITIVE", 73),
		share("O_NEGATIVE", 20), share("B_NEGATIVE", 18), share("A_NEGATIVE", 12), share("AB_NEGATIVE", 5))
}

// phone returns an Indian mobile number.
func phone(rng *rand.Rand) string {
	return fmt.Sprintf("%d%09d", 6+rng.IntN(4), rng.IntN(1_000_000_000))
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// chance is a value with its weight.
type chance[T any] struct {
	value  T
	weight int
}

func share[T any](value T, weight int) chance[T] { return chance[T]{value, weight} }

func weighted[T any](rng *rand.Rand, chances ...chance[T]) T {
	sum := 0
	for _, c := range chances {
		sum += c.weight
	}
	left, last := rng.IntN(sum), len(chances)-1
	for _, c := range chances[:last] {
		if left < c.weight {
			return c.value
		}
		left -= c.weight
	}
	return chances[last].value
}
