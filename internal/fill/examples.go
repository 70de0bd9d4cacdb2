package fill

import "fmt"

// password is the password of all accounts that fill makes, as in the
// documentation of the system that this one replaces. It protects nothing.
const password = "Secure@123"

// examples are the records in that documentation; REST clients and Postman
// collections know them.
type examples struct {
	Rahul account
	Arjun patient
	Priya doctor
}

func rahul() account {
	a := load[examples]("examples").Rahul
	a.Password = password
	return a
}

func arjun() patient { return load[examples]("examples").Arjun }
func priya() doctor  { return load[examples]("examples").Priya }

const exampleNotes = "Regular cardiology consultation"

// frontDesk returns the account of a region's front desk, which owns the
// records of that region. It is the same for every seed.
func frontDesk(region int) account {
	name := fmt.Sprintf("fill-desk-%d", region+1)
	return account{Username: name, Email: name + "@caregraph.example", Password: password, Role: "PATIENT"}
}
