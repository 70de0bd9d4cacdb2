package fill

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const many = 3000

func TestDataset_TheSameSeedMakesTheSamePeople(t *testing.T) {
	t.Parallel()
	one, same, other := newDataset(1), newDataset(1), newDataset(2)
	differ := 0
	for i := range 200 {
		a, careA := one.patient(i)
		b, careB := same.patient(i)
		c, _ := other.patient(i)
		if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(careA, careB) || one.doctor(i) != same.doctor(i) {
			t.Fatalf("number %d differs", i)
		}
		if a.Name != c.Name {
			differ++
		}
	}
	if differ < 150 {
		t.Errorf("another seed gives other names to %d of 200 only", differ)
	}
}

func TestDataset_EmailsAndLicensesAreUniqueOverSeeds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, seed := range []uint64{0, 1, 2, 11, 12, 111} {
		w := newDataset(seed)
		for i := range 500 {
			p, _ := w.patient(i)
			d := w.doctor(i)
			for _, key := range []string{p.Email, d.Email, d.LicenseNumber} {
				if seen[key] {
					t.Fatalf("%s twice", key)
				}
				seen[key] = true
			}
		}
	}
}

func TestDataset_PatientsAreValidForTheServer(t *testing.T) {
	t.Parallel()
	mobile := regexp.MustCompile(`^[6-9]\d{9}$`)
	email := regexp.MustCompile(`^[a-z.]+\.\d+-\d+@(patients|doctors)\.example$`)
	address := regexp.MustCompile(`^[^%]+, [A-Z][A-Za-z.& ]+, [A-Z][A-Za-z ]+ [1-8]\d{5}$`)
	w := newDataset(1)
	for i := range many {
		p, _ := w.patient(i)
		d := w.doctor(i)
		born, err := time.Parse(time.DateOnly, p.DateOfBirth)
		if err != nil || born.After(today()) || born.Before(today().AddDate(-100, 0, 0)) {
			t.Errorf("born %s", p.DateOfBirth)
		}
		for _, number := range []string{p.Phone, p.EmergencyContact, d.Phone} {
			if !mobile.MatchString(number) {
				t.Errorf("phone %s", number)
			}
		}
		for _, a := range []string{p.Email, d.Email} {
			if !email.MatchString(a) {
				t.Errorf("e-mail %s", a)
			}
		}
		for _, a := range []string{p.Address, d.Address} {
			if !address.MatchString(a) {
				t.Errorf("address %s", a)
			}
		}
		if len(p.Name) > 60 || strings.Count(d.Name, " ") < 2 || len(d.LicenseNumber) > 50 || d.ExperienceYears > 40 {
			t.Errorf("%s; %s %s %d", p.Name, d.Name, d.LicenseNumber, d.ExperienceYears)
		}
	}
}

func TestDataset_DoctorsFitTheirPatients(t *testing.T) {
	t.Parallel()
	w := newDataset(1)
	alone := 0
	for i := range many {
		p, assigned := w.patient(i)
		born, _ := time.Parse(time.DateOnly, p.DateOfBirth)
		age := int(today().Sub(born).Hours() / 24 / 365.25)
		seen := map[int]bool{}
		for _, c := range assigned {
			s := w.specialty(c.doctor)
			if c.doctor >= max(1, (i+1)/patientsPerDoctor) {
				t.Errorf("patient %d has doctor %d, who is not there in a run of %d", i, c.doctor, i+1)
			}
			if !s.suits(age, p.Gender) && s.suits(age+1, p.Gender) == s.suits(age, p.Gender) {
				t.Errorf("%s for age %d, %s", s.name, age, p.Gender)
			}
			if !slices.ContainsFunc(s.Cases, func(of illness) bool { return of.Notes == c.notes }) {
				t.Errorf("%s: %s", s.name, c.notes)
			}
			if seen[c.doctor] {
				t.Errorf("patient %d has doctor %d twice", i, c.doctor)
			}
			seen[c.doctor] = true
		}
		if len(assigned) < 1 || len(assigned) > 3 {
			t.Errorf("%d doctors", len(assigned))
		}
		if i > 200 && w.regionOf(assigned[0].doctor) != w.regionOf(i) {
			t.Errorf("patient %d is treated in another region", i)
		}
		if len(assigned) == 1 {
			alone++
		}
	}
	if alone < many/2 || alone > many*4/5 {
		t.Errorf("%d of %d patients have one doctor", alone, many)
	}
}

func TestDataset_IsAsMixedAsAWaitingRoom(t *testing.T) {
	t.Parallel()
	w := newDataset(1)
	groups, genders, names, states := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	children := 0
	for i := range many {
		p, _ := w.patient(i)
		group := "unknown"
		if p.BloodGroup != nil {
			group = *p.BloodGroup
		}
		groups[group]++
		genders[p.Gender]++
		names[p.Name]++
		parts := strings.Split(p.Address, ", ")
		states[strings.TrimRight(parts[len(parts)-1], " 0123456789")]++
		if p.DateOfBirth > "2008-11-01" {
			children++
		}
	}
	if groups["O_POSITIVE"] < groups["B_POSITIVE"] || groups["B_POSITIVE"] < groups["A_POSITIVE"] ||
		groups["A_POSITIVE"] < 5*groups["A_NEGATIVE"] || len(groups) != 9 {
		t.Errorf("blood groups: %v", groups)
	}
	if len(genders) != 3 || genders["OTHER"] > many/50 || genders["MALE"] < many*2/5 {
		t.Errorf("genders: %v", genders)
	}
	if most := slices.Max(slices.Collect(maps.Values(names))); len(names) < many/2 || most > 12 {
		t.Errorf("%d names, one of them %d times", len(names), most)
	}
	if len(states) < 15 {
		t.Errorf("states: %v", states)
	}
	if children < many/6 || children > many/3 {
		t.Errorf("%d children of %d", children, many)
	}
}

func TestProgress_WritesALineForEachTenth(t *testing.T) {
	t.Parallel()
	for total, lines := range map[int]int{1: 1, 7: 7, 10: 10, 1000: 10} {
		var b strings.Builder
		p := newProgress(&b, "patients", total)
		for range total {
			p.step()
		}
		p.end()
		if strings.Count(b.String(), "\n") != lines {
			t.Errorf("%d steps:\n%s", total, b.String())
		}
	}
}
