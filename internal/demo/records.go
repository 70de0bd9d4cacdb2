package demo

import "github.com/caregraph/caregraph/model"

// doctors returns the doctor entries of the clinic. The first one is that of the doctor
// who has an account.
func doctors() []model.Doctor {
	entry := func(name, email, phone, specialization, license string, years int, fee, availability string) model.Doctor {
		return model.Doctor{
			Name: name, Email: model.ParseEmail(email), Phone: model.ParsePhone(phone), Specialization: specialization,
			LicenseNumber: license, ExperienceYears: years, ConsultationFee: model.ParseDecimal(fee), Availability: availability,
			Address: "Neem Tree Clinic, 4 Residency Road, Bengaluru 560025",
		}
	}
	return []model.Doctor{
		entry("Dr. Priya Patel", "priya.patel@neemtree.example", "90080 10001", "Cardiology", "KMC/2013/41207", 12, "900.00", "Mon-Fri 9AM-1PM"),
		entry("Dr. Anil Desai", "anil.desai@neemtree.example", "90080 10002", "General Medicine", "KMC/1998/18855", 27, "400.00", "Mon-Sat 9AM-5PM"),
		entry("Dr. Farah Khan", "farah.khan@neemtree.example", "90080 10003", "Endocrinology", "KMC/2009/33410", 16, "800.00", "Tue, Thu 2PM-7PM"),
	}
}

// The places of the doctors in their list.
const (
	priya = iota
	anil
	farah
)

// record is a patient of the clinic, with texts as people write them.
type record struct {
	number, name, born        string
	gender                    model.Gender
	phone, emergency, address string
	blood                     model.BloodGroup
	abha, history             string
	care                      []care
}

// care is a doctor who treats the patient, and the notes of the assignment.
type care struct {
	doctor int
	notes  string
}

func (r record) patient() *model.Patient {
	p := &model.Patient{
		Name: r.name, DateOfBirth: model.ParseDate(r.born), Gender: r.gender, Phone: model.ParsePhone(r.phone), Address: r.address,
		EmergencyContact: model.ParsePhone(r.emergency), BloodGroup: &r.blood, MedicalHistory: &r.history, RecordNumber: &r.number,
	}
	if r.abha != "" {
		p.AbhaNumber = new(model.ParseAbha(r.abha))
	}
	return p
}

// patients returns the patients of the clinic. The first one has an account.
func patients() []record {
	return []record{
		{
			"NT-0001", "Arjun Sharma", "1990-05-15", model.GenderMale, "90080 20001", "90080 30001", "12 MG Road, Bengaluru 560001",
			model.BPositive, "91-1000-2000-3001", "Hypertension since 2021, on telmisartan 40 mg. Allergic to penicillin. Father had a heart attack at 52.",
			[]care{
				{priya, "Blood pressure 148/92 at the last visit. ECG normal. Review in four weeks with home readings."},
				{anil, "Yearly check-up; lipid profile ordered."},
			},
		},
		{
			"NT-0002", "Lakshmi Menon", "1958-11-02", model.GenderFemale, "90080 20002", "90080 30002", "7 Church Street, Bengaluru 560001",
			model.OPositive, "91-1000-2000-3002", "Angina, stent in 2022. On aspirin and atorvastatin. No known allergies.",
			[]care{{priya, "Free of pain since the stent. Treadmill test in January."}},
		},
		{
			"NT-0003", "Imran Sheikh", "1976-03-21", model.GenderMale, "90080 20003", "90080 30003", "31 Frazer Town, Bengaluru 560005",
			model.APositive, "", "Type 2 diabetes since 2015, HbA1c 7.9. On metformin 1 g twice a day.",
			[]care{{farah, "Add a second agent if HbA1c stays above 7.5. Eye examination is due."}},
		},
		{
			"NT-0004", "Gurpreet Kaur", "1983-08-09", model.GenderFemale, "90080 20004", "90080 30004", "5 Indiranagar 2nd Stage, Bengaluru 560038",
			model.ABPositive, "91-1000-2000-3004", "Hyperthyroidism, treated with carbimazole. Palpitations in 2024.",
			[]care{
				{farah, "Thyroid values normal; reduce carbimazole to 5 mg."},
				{priya, "24-hour ECG without findings. Palpitations fit the thyroid."},
			},
		},
		{
			"NT-0005", "Joseph Fernandes", "1949-12-25", model.GenderMale, "90080 20005", "90080 30005", "18 Cooke Town, Bengaluru 560005",
			model.ONegative, "", "Atrial fibrillation, on apixaban 5 mg twice a day. Chronic kidney disease, stage 2.",
			[]care{{priya, "Rate control is good. Check creatinine every three months."}},
		},
		{
			"NT-0006", "Ananya Ghosh", "2017-06-30", model.GenderFemale, "90080 20006", "90080 30006", "22 Koramangala 5th Block, Bengaluru 560095",
			model.BPositive, "91-1000-2000-3006", "Childhood asthma, salbutamol when needed. Vaccinations complete for the age.",
			[]care{{anil, "Wheeze twice this month; mother was shown the spacer again."}},
		},
		{
			"NT-0007", "Thomas Kurian", "1995-01-17", model.GenderMale, "90080 20007", "90080 30007", "9 Lavelle Road, Bengaluru 560001",
			model.ANegative, "", "Depression, on sertraline 50 mg since 2024. Asks that his family does not learn of it.",
			[]care{{anil, "Sleeps better. Continue; next visit in six weeks."}},
		},
		{
			"NT-0008", "Rekha Joshi", "1968-04-12", model.GenderFemale, "90080 20008", "90080 30008", "40 Jayanagar 4th Block, Bengaluru 560011",
			model.BNegative, "91-1000-2000-3008", "Hypothyroidism, on levothyroxine 75 mcg. Osteopenia.",
			[]care{{farah, "TSH 3.1. Same dose, vitamin D for eight weeks."}},
		},
		{
			"NT-0009", "Devika Subramanian", "1992-09-05", model.GenderFemale, "90080 20009", "90080 30009", "3 Malleswaram 8th Cross, Bengaluru 560003",
			model.OPositive, "", "Second pregnancy, week 20. Gestational hypertension in the first one.",
			[]care{{priya, "Blood pressure 126/80. Low-dose aspirin; weekly readings at home."}},
		},
		{
			"NT-0010", "Samir Das", "2001-02-28", model.GenderOther, "90080 20010", "90080 30010", "14 Whitefield Main Road, Bengaluru 560066",
			model.APositive, "91-1000-2000-3010", "Epilepsy since 2015, on levetiracetam 500 mg twice a day. No seizure for two years.",
			nil,
		},
	}
}
