package rest

// examples are values that stand in for real ones in the descriptions of the
// addresses, by their names in REST: "Doctor.name" for what is only so in a
// doctor, else the bare name.
func examples() map[string]any {
	return map[string]any{
		"User.username":     "rahul_kumar",
		"User.email":        "rahul.kumar@gmail.com",
		"User.phone":        "9876543210",
		"User.role":         "patient",
		"Patient.name":      "Arjun Sharma",
		"Patient.email":     "arjun.sharma@gmail.com",
		"Patient.phone":     "8765432109",
		"Patient.address":   "123 MG Road, Bangalore",
		"Doctor.name":       "Dr. Priya Patel",
		"Doctor.email":      "priya.patel@aiims.edu",
		"Doctor.phone":      "7654321098",
		"Doctor.address":    "AIIMS Hospital, New Delhi",
		"access":            "<jwt>",
		"refresh":           "<jwt>",
		"token":             "<jwt>",
		"password":          "Secure@123",
		"current_password":  "Secure@123",
		"new_password":      "Better@456",
		"id":                1,
		"patient":           1,
		"doctor":            1,
		"date_of_birth":     "1990-05-15",
		"gender":            "male",
		"blood_group":       "B+",
		"emergency_contact": "9876543210",
		"medical_history":   "No known allergies",
		"specialization":    "Cardiology",
		"license_number":    "CARD2025001",
		"experience_years":  8,
		"consultation_fee":  "1500.00",
		"availability":      "Mon-Fri 9AM-5PM",
		"notes":             "Regular cardiology consultation",
		"is_active":         true,
		"created_by":        "rahul.kumar@gmail.com",
		"assigned_date":     "2026-11-23T08:53:06.110619Z",
		"created_at":        "2026-11-23T08:53:06.030807Z",
		"updated_at":        "2026-11-23T08:53:06.030823Z",
	}
}

// example finds the example of a member of a thing of the schema.
func example(owner, name string) (any, bool) {
	all := examples()
	if value, ok := all[owner+"."+name]; ok {
		return value, true
	}
	value, ok := all[name]
	return value, ok
}
