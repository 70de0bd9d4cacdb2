package fill

import "fmt"

// password is the password of all accounts that fill makes, as in the
// documentation of the system that this one replaces. It protects nothing.
const password = "Secure@123"

// rahul, arjun and priya are the examples in that documentation; REST clients
// and Postman collections know them.
func rahul() account {
	phone := "9876543210"
	return account{Username: "rahul_kumar", Email: "rahul.kumar@gmail.com", Password: password, Phone: &phone, Role: "PATIENT"}
}

func arjun() patient {
	bloodGroup, history := "B_POSITIVE", "No known allergies"
	return patient{
		Name:             "Arjun Sharma",
		DateOfBirth:      "1990-05-15",
		Gender:           "MALE",
		Phone:            "8765432109",
		Email:            "arjun.sharma@gmail.com",
		Address:          "123 MG Road, Bangalore",
		EmergencyContact: "9876543210",
		BloodGroup:       &bloodGroup,
		MedicalHistory:   &history,
	}
}

func priya() doctor {
	return doctor{
		Name:            "Dr. Priya Patel",
		Email:           "priya.patel@aiims.edu",
		Phone:           "7654321098",
		Specialization:  "Cardiology",
		LicenseNumber:   "CARD2025001",
		ExperienceYears: 8,
		Address:         "AIIMS Hospital, New Delhi",
		ConsultationFee: "1500.00",
		Availability:    "Mon-Fri 9AM-5PM",
	}
}

const exampleNotes = "Regular cardiology consultation"

// frontDesk returns the account of a region's front desk, which owns the
// records of that region. It is the same for every seed.
func frontDesk(region int) account {
	name := fmt.Sprintf("fill-desk-%d", region+1)
	return account{Username: name, Email: name + "@caregraph.example", Password: password, Role: "PATIENT"}
}
