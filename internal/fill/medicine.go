package fill

// medicine is the content of medicine.json.
type medicine struct {
	// Doctors are specialties in the order in which a region gets its doctors.
	Doctors []string
	// Specialties are by name. The cases of general physicians occur at any age.
	Specialties map[string]specialty
	Allergies   []string
	Genders     []chance[string]
	// Ages are as in a waiting room: the very young and the old are more
	// frequent than in the population.
	Ages []chance[struct{ From, To int }]
	// BloodGroups follow Agrawal et al. 2014, ABO and Rh(D) in 10,000 donors of
	// five regions of India: O 37, B 32, A 23, AB 8 in a hundred, 95 of them
	// Rh(D) positive.
	BloodGroups []chance[string]
}

// specialty is a field of medicine and the complaints of its patients.
type specialty struct {
	name string
	// Fee is the lowest fee of a consultation, in rupees.
	Fee int
	// Youngest and Oldest bound the age of patients, in years. Oldest is 0 if
	// there is no upper bound. Gender is their gender if the field is for one
	// gender only.
	Youngest, Oldest int
	Gender           string
	Cases            []illness
}

func (s specialty) suits(age int, gender string) bool {
	return s.Youngest <= age && (s.Oldest == 0 || age <= s.Oldest) && (s.Gender == "" || s.Gender == gender)
}

// illness is what the patient's record and the notes of the assignment say.
type illness struct{ History, Notes string }
