package fill

// specialty is a field of medicine and the complaints of its patients.
type specialty struct {
	name string
	// fee is the lowest fee of a consultation, in rupees.
	fee int
	// youngest and oldest bound the age of patients, in years. gender is their
	// gender if the field is for one gender only.
	youngest, oldest int
	gender           string
	cases            []illness
}

func (s specialty) suits(age int, gender string) bool {
	return s.youngest <= age && age <= s.oldest && (s.gender == "" || s.gender == gender)
}

// illness is what the patient's record and the notes of the assignment say.
type illness struct{ history, notes string }

const oldestAge = 130

// specialties are in the order in which a region gets its doctors. The cases of
// general physicians occur at any age.
func specialties() []specialty {
	general := specialty{name: "General Medicine", fee: 300, oldest: oldestAge, cases: []illness{
		{"Vaccinations complete for the age.", "Yearly check-up; blood count and vitamin D advised"},
		{"Recurrent throat infections.", "Fever for three days; to come again if it lasts"},
		{"Iron deficiency anemia, on supplements.", "Review of hemoglobin after three months of iron"},
		{"Seasonal cough and cold.", "Cough for a week; steam and fluids, review in five days"},
		{"Otherwise well.", "Vaccination advice before travel"},
	}}
	return []specialty{
		general,
		{name: "Pediatrics", fee: 400, oldest: 17, cases: []illness{
			{"Full-term birth, vaccinations up to date.", "Growth and immunization follow-up"},
			{"Childhood asthma, inhaler when needed.", "Wheeze control and inhaler technique"},
			{"Frequent tonsillitis.", "Recurrent tonsillitis; weight to be watched"},
		}},
		{name: "Cardiology", fee: 900, youngest: 35, oldest: oldestAge, cases: []illness{
			{"Hypertension, on telmisartan 40 mg.", "Blood pressure control; home readings twice a day"},
			{"Coronary artery disease, stent in 2022, on aspirin and atorvastatin.", "Follow-up after stent; echo every six months"},
			{"Raised LDL cholesterol.", "Lipid profile review; diet and walking advised"},
		}},
		{name: "Orthopedics", fee: 600, youngest: 12, oldest: oldestAge, cases: []illness{
			{"Fracture of the right wrist in 2023, healed.", "Physiotherapy after wrist fracture"},
			{"Chronic lower back pain.", "Back pain; X-ray seen, exercises shown"},
			{"Ligament injury of the left knee.", "Knee injury; MRI advised before sport is taken up again"},
		}},
		{name: "Obstetrics and Gynecology", fee: 600, youngest: 18, oldest: 60, gender: "FEMALE", cases: []illness{
			{"Polycystic ovary syndrome.", "Cycle follow-up; ultrasound in six weeks"},
			{"Uterine fibroid, under observation.", "Yearly ultrasound of the fibroid"},
			{"Cervical screening in 2025 normal.", "Routine gynecological review"},
		}},
		{name: "Dermatology", fee: 500, oldest: oldestAge, cases: []illness{
			{"Atopic eczema.", "Eczema; emollients and review in four weeks"},
			{"Fungal skin infection, treated twice.", "Recurrent ringworm; the family to be examined as well"},
			{"Psoriasis of the elbows.", "Psoriasis; topical treatment continued"},
		}},
		general,
		{name: "Endocrinology", fee: 800, youngest: 25, oldest: oldestAge, cases: []illness{
			{"Type 2 diabetes, on metformin 500 mg twice a day.", "HbA1c every three months; foot care explained"},
			{"Hypothyroidism, on levothyroxine 50 mcg.", "TSH after six weeks on the new dose"},
			{"Prediabetes.", "Diet and weight review; glucose tolerance test next"},
		}},
		{name: "ENT", fee: 500, oldest: oldestAge, cases: []illness{
			{"Allergic rhinitis, worse in winter.", "Rhinitis; nasal spray for two months"},
			{"Hearing loss on the left, mild.", "Audiogram every year"},
			{"Chronic sinusitis.", "Sinusitis; CT of the sinuses advised"},
		}},
		{name: "Ophthalmology", fee: 500, youngest: 4, oldest: oldestAge, cases: []illness{
			{"Short-sighted, wears glasses.", "Change of glasses; review in a year"},
			{"Dry eyes.", "Dry eye; drops four times a day"},
			{"Family history of glaucoma.", "Eye pressure and visual field once a year"},
		}},
		general,
		{name: "Psychiatry", fee: 1000, youngest: 18, oldest: oldestAge, cases: []illness{
			{"Generalized anxiety, in counseling.", "Anxiety; fortnightly sessions"},
			{"Depressive episode in 2024, in remission.", "Maintenance; review of sertraline 50 mg"},
			{"Insomnia.", "Sleep hygiene and diary; review in a month"},
		}},
		{name: "Neurology", fee: 1000, youngest: 16, oldest: oldestAge, cases: []illness{
			{"Migraine with aura.", "Migraine prevention; headache diary"},
			{"Epilepsy, free of seizures since 2021, on levetiracetam.", "Drug level and driving advice"},
			{"Carpal tunnel syndrome.", "Nerve conduction study advised"},
		}},
		{name: "Gastroenterology", fee: 800, youngest: 16, oldest: oldestAge, cases: []illness{
			{"Gastric reflux, on pantoprazole.", "Reflux; endoscopy if no better in eight weeks"},
			{"Irritable bowel syndrome.", "Diet diary; to cut down on tea and fried food"},
			{"Fatty liver, grade 1.", "Liver function tests every six months"},
		}},
		general,
		{name: "Pulmonology", fee: 700, youngest: 16, oldest: oldestAge, cases: []illness{
			{"Bronchial asthma, on budesonide and formoterol.", "Spirometry once a year; inhaler technique checked"},
			{"Pulmonary tuberculosis in 2019, treatment completed.", "Chest X-ray follow-up after tuberculosis"},
			{"Sleep apnea.", "CPAP follow-up"},
		}},
		{name: "Nephrology", fee: 900, youngest: 30, oldest: oldestAge, cases: []illness{
			{"Chronic kidney disease, stage 3.", "Creatinine and potassium every month"},
			{"Kidney stones in 2022, passed.", "Stone prevention; three liters of water a day"},
		}},
		{name: "Oncology", fee: 1200, youngest: 35, oldest: oldestAge, cases: []illness{
			{"Thyroid cancer, operated in 2021, in remission.", "Yearly thyroglobulin and neck ultrasound"},
			{"Hodgkin lymphoma, in remission since 2020.", "Surveillance visit every six months"},
		}},
	}
}

func allergies() []string {
	return []string{
		"No known allergies.", "No known allergies.", "No known allergies.", "No known allergies.",
		"Allergic to penicillin.", "Allergic to sulfa drugs.", "Allergic to dust.", "Allergic to peanuts.",
	}
}
