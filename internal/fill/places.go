package fill

import (
	"fmt"
	"math/rand/v2"
)

// region is the area of one front desk: its cities and its people.
type region struct {
	cities []city
	// addressLines are formats of the first line of an address, with a place
	// for a number.
	addressLines []string
	people       []chance[community]
}

func (r region) person(rng *rand.Rand, gender string) person {
	return weighted(rng, r.people...).person(rng, gender)
}

type city struct {
	name, state string
	// council is the medical council of the state, as in license numbers.
	council string
	areas   []area
}

// area is a part of a city with its PIN code.
type area struct {
	name string
	pin  int
}

func (c city) address(rng *rand.Rand) string {
	a := pick(rng, c.areas...)
	return fmt.Sprintf("%s, %s, %s %d", a.name, c.name, c.state, a.pin)
}

func regions(of communityNames) []region {
	return []region{
		{
			cities:       north(),
			addressLines: []string{"House No. %d, Block C", "Flat %d, Shanti Apartments", "%d, Gali No. 4", "B-%d, Second Floor"},
			people: []chance[community]{
				share(of.hindi, 42), share(of.muslim, 16), share(of.sikh, 15), share(of.rajasthani, 12), share(of.kashmiri, 6),
				share(of.bihari, 5), share(of.bengali, 2), share(of.malayali, 1), share(of.naga, 1),
			},
		},
		{
			cities:       west(),
			addressLines: []string{"Flat %d, Sai Krupa Society", "Room No. %d, Ganesh Chawl", "%d, Om Residency", "Bungalow %d, Nehru Road"},
			people: []chance[community]{
				share(of.marathi, 38), share(of.gujarati, 26), share(of.muslim, 13), share(of.hindi, 9), share(of.goan, 5),
				share(of.rajasthani, 4), share(of.parsi, 2), share(of.tamil, 2), share(of.sikh, 1),
			},
		},
		{
			cities:       deccan(),
			addressLines: []string{"No. %d, 3rd Cross, 2nd Main", "Flat %d, Sri Venkateswara Residency", "H. No. 8-2-%d", "Villa %d, Green Meadows"},
			people: []chance[community]{
				share(of.kannada, 34), share(of.telugu, 34), share(of.muslim, 13), share(of.tamil, 6), share(of.hindi, 5),
				share(of.malayali, 4), share(of.marathi, 2), share(of.syrian, 2),
			},
		},
		{
			cities:       south(),
			addressLines: []string{"New No. %d, Gandhi Street", "Plot %d, Anbu Nagar", "TC 4/%d, Temple Road", "Flat %d, Lakshmi Enclave"},
			people: []chance[community]{
				share(of.tamil, 44), share(of.malayali, 22), share(of.syrian, 12), share(of.muslim, 10), share(of.telugu, 7),
				share(of.kannada, 3), share(of.gujarati, 1), share(of.bengali, 1),
			},
		},
		{
			cities:       east(),
			addressLines: []string{"%d, Station Road", "Flat %d, Rabindra Abasan", "House No. %d, Lane 2", "%d, Netaji Pally"},
			people: []chance[community]{
				share(of.bengali, 40), share(of.odia, 13), share(of.bihari, 13), share(of.muslim, 12), share(of.assamese, 9),
				share(of.adivasi, 6), share(of.khasi, 2), share(of.naga, 2), share(of.meitei, 2), share(of.rajasthani, 1),
			},
		},
	}
}

func north() []city {
	return []city{
		{"New Delhi", "Delhi", "DMC", []area{{"Lajpat Nagar", 110024}, {"Karol Bagh", 110005}, {"Saket", 110017}, {"Pitampura", 110034}, {"Janakpuri", 110058}, {"Okhla", 110025}}},
		{"Noida", "Uttar Pradesh", "UPMC", []area{{"Sector 18", 201301}, {"Sector 62", 201309}}},
		{"Lucknow", "Uttar Pradesh", "UPMC", []area{{"Gomti Nagar", 226010}, {"Hazratganj", 226001}, {"Aliganj", 226024}}},
		{"Jaipur", "Rajasthan", "RMC", []area{{"Malviya Nagar", 302017}, {"Raja Park", 302004}}},
		{"Ludhiana", "Punjab", "PMC", []area{{"Model Town", 141002}, {"Civil Lines", 141001}}},
		{"Srinagar", "Jammu and Kashmir", "JKMC", []area{{"Rajbagh", 190008}, {"Lal Chowk", 190001}}},
	}
}

func west() []city {
	return []city{
		{"Mumbai", "Maharashtra", "MMC", []area{{"Andheri West", 400058}, {"Dadar West", 400028}, {"Ghatkopar East", 400077}, {"Byculla", 400027}, {"Borivali West", 400092}, {"Colaba", 400005}}},
		{"Pune", "Maharashtra", "MMC", []area{{"Kothrud", 411038}, {"Shivajinagar", 411005}, {"Hadapsar", 411028}}},
		{"Nagpur", "Maharashtra", "MMC", []area{{"Dharampeth", 440010}, {"Sitabuldi", 440012}}},
		{"Ahmedabad", "Gujarat", "GMC", []area{{"Navrangpura", 380009}, {"Maninagar", 380008}, {"Paldi", 380007}}},
		{"Surat", "Gujarat", "GMC", []area{{"Adajan", 395009}, {"Nanpura", 395001}}},
		{"Panaji", "Goa", "GOAMC", []area{{"Altinho", 403001}, {"Miramar", 403001}}},
	}
}

func deccan() []city {
	return []city{
		{"Bengaluru", "Karnataka", "KMC", []area{{"Jayanagar", 560041}, {"Malleshwaram", 560003}, {"Indiranagar", 560038}, {"Koramangala", 560034}, {"Basavanagudi", 560004}, {"Frazer Town", 560005}}},
		{"Mysuru", "Karnataka", "KMC", []area{{"Saraswathipuram", 570009}, {"Vijayanagar", 570017}}},
		{"Mangaluru", "Karnataka", "KMC", []area{{"Kadri", 575002}, {"Hampankatta", 575001}}},
		{"Hyderabad", "Telangana", "TSMC", []area{{"Banjara Hills", 500034}, {"Ameerpet", 500016}, {"Kukatpally", 500072}, {"Mehdipatnam", 500028}, {"Charminar", 500002}}},
		{"Vijayawada", "Andhra Pradesh", "APMC", []area{{"Labbipet", 520010}, {"Governorpet", 520002}}},
		{"Visakhapatnam", "Andhra Pradesh", "APMC", []area{{"MVP Colony", 530017}, {"Dwaraka Nagar", 530016}}},
	}
}

func south() []city {
	return []city{
		{"Chennai", "Tamil Nadu", "TNMC", []area{{"Mylapore", 600004}, {"T. Nagar", 600017}, {"Adyar", 600020}, {"Anna Nagar", 600040}, {"Velachery", 600042}, {"Triplicane", 600005}}},
		{"Coimbatore", "Tamil Nadu", "TNMC", []area{{"R.S. Puram", 641002}, {"Gandhipuram", 641012}}},
		{"Madurai", "Tamil Nadu", "TNMC", []area{{"K.K. Nagar", 625020}, {"Goripalayam", 625002}}},
		{"Kochi", "Kerala", "TCMC", []area{{"Edappally", 682024}, {"Fort Kochi", 682001}, {"Palarivattom", 682025}}},
		{"Thiruvananthapuram", "Kerala", "TCMC", []area{{"Pattom", 695004}, {"Kowdiar", 695003}}},
		{"Kozhikode", "Kerala", "TCMC", []area{{"Nadakkavu", 673011}, {"Mavoor Road", 673004}}},
	}
}

func east() []city {
	return []city{
		{"Kolkata", "West Bengal", "WBMC", []area{{"Salt Lake", 700064}, {"Ballygunge", 700019}, {"Behala", 700034}, {"Shyambazar", 700004}, {"Park Circus", 700017}, {"Jadavpur", 700032}}},
		{"Siliguri", "West Bengal", "WBMC", []area{{"Hakim Para", 734001}, {"Pradhan Nagar", 734003}}},
		{"Bhubaneswar", "Odisha", "OCMR", []area{{"Saheed Nagar", 751007}, {"Nayapalli", 751012}}},
		{"Patna", "Bihar", "BCMR", []area{{"Boring Road", 800001}, {"Kankarbagh", 800020}}},
		{"Ranchi", "Jharkhand", "JSMC", []area{{"Lalpur", 834001}, {"Doranda", 834002}}},
		{"Guwahati", "Assam", "AMC", []area{{"Ulubari", 781007}, {"Chandmari", 781003}}},
		{"Shillong", "Meghalaya", "MEGMC", []area{{"Laitumkhrah", 793003}, {"Police Bazar", 793001}}},
	}
}

// hospitals are made up.
func hospitals() []string {
	return []string{
		"Sanjeevani Hospital", "Arogya Clinic", "Ashwini Polyclinic", "City Care Hospital", "Lotus Nursing Home",
		"Jeevan Jyoti Hospital", "Sushruta Medical Centre", "Green Cross Clinic", "Shifa Hospital", "Karuna Hospital",
	}
}

func hours() []string {
	return []string{
		"Mon-Sat 10AM-1PM, 5PM-8PM", "Mon-Fri 9AM-5PM", "Mon-Sat 9AM-2PM", "Tue, Thu, Sat 4PM-8PM",
		"Mon, Wed, Fri 10AM-4PM", "Mon-Fri 6PM-9PM", "Daily 9AM-12PM",
	}
}
