package demo

import "github.com/caregraph/caregraph/model"

// person is someone who has an account in the example clinic.
type person struct {
	name, about string
	// part is what the person is for the clinic.
	part     string
	username string
	role     model.Role
}

// The places of the people in their list.
const (
	owner = iota
	colleague
	doctor
	patient
	administrator
	stranger
)

// people returns who has an account. The stranger is the last one: see create.
func people() []person {
	return []person{
		owner: {
			"Rahul Kumar", "Runs the front desk. He created all records of the clinic, so he sees and sets everything in them.",
			"owner", "rahul.kumar", model.RolePatient,
		},
		colleague: {
			"Sunita Nair", "Works at the desk in Rahul's team. She keeps the same records, but blood groups and medical histories are hidden.",
			"colleague", "sunita.nair", model.RolePatient,
		},
		doctor: {
			"Dr. Priya Patel", "A verified cardiologist. She sees the patients that she treats, with their medical histories, and no others.",
			"doctor", "priya.patel", model.RoleDoctor,
		},
		patient: {
			"Arjun Sharma", "A patient who has claimed his record. He sees all of it, and no other record.",
			"patient", "arjun.sharma", model.RolePatient,
		},
		administrator: {
			"Kavita Rao", "Looks after accounts and verifies doctors. She sees every record, but nothing clinical.",
			"administrator", "kavita.rao", model.RoleAdmin,
		},
		stranger: {
			"Meera Iyer", "Has an account and nothing else. For her no patient exists.",
			"stranger", "meera.iyer", model.RolePatient,
		},
	}
}

// email returns the address of the account, by which it is recognized: no one can change
// it, and the domain belongs to no one.
func (p person) email() model.EmailAddress {
	return model.EmailAddress(p.username + "@neemtree.example")
}

// is reports whether the account is that of the person. Only an operator makes an
// administrator, so no one can register all of them.
func (p person) is(u *model.User) bool {
	return u.Email == p.email() && (u.Role == model.RoleAdmin) == (p.role == model.RoleAdmin)
}
