package fill

import (
	"math/rand/v2"
	"strings"
)

// community is a group of people whose names come from the same lists.
type community struct {
	men, women, families []string
	// maleMiddle and femaleMiddle go between the two names, such as Singh and
	// Kaur.
	maleMiddle, femaleMiddle string
}

type person struct{ name string }

func (c community) person(rng *rand.Rand, gender string) person {
	given, middle := c.men, c.maleMiddle
	if gender == "FEMALE" || gender == "OTHER" && rng.IntN(2) == 0 {
		given, middle = c.women, c.femaleMiddle
	}
	return person{strings.Join(strings.Fields(pick(rng, given...)+" "+middle+" "+pick(rng, c.families...)), " ")}
}

// email returns an address at a domain that RFC 2606 reserves, so that it
// belongs to no one.
func (p person) email(tag, domain string) string {
	return strings.ToLower(strings.ReplaceAll(p.name, " ", ".")) + "." + tag + "@" + domain
}

// communityNames has the names by community. It is far from complete for India.
type communityNames struct {
	hindi, muslim, sikh, rajasthani, kashmiri, gujarati, marathi, parsi, goan, kannada, telugu,
	tamil, malayali, syrian, bengali, odia, assamese, bihari, adivasi, khasi, naga, meitei community
}

func communities() communityNames {
	list := strings.Fields
	return communityNames{
		hindi: community{
			men:      list("Amit Rajesh Sanjay Vikas Anil Manoj Deepak Pankaj Alok Rohit Ashok Harsh Aarav Vivaan Shivam"),
			women:    list("Sunita Pooja Neha Kavita Anjali Rekha Shalini Priyanka Nidhi Aarohi Saroj Meenakshi Ritu Vandana"),
			families: list("Sharma Verma Gupta Mishra Tiwari Yadav Srivastava Saxena Agarwal Chauhan Pandey Maurya Kori"),
		},
		muslim: community{
			men:      list("Imran Salman Arif Faizan Nadeem Zubair Irfan Rizwan Aftab Sajid Hamza Ayaan Yusuf"),
			women:    list("Ayesha Shabana Nasreen Zoya Farah Rukhsar Sana Nazia Mehjabeen Tabassum Inaya Shagufta"),
			families: list("Khan Ansari Qureshi Siddiqui Shaikh Farooqui Pathan Mirza Rizvi Saifi Ahmed"),
		},
		sikh: community{
			men:        list("Harpreet Gurpreet Manjit Jaspreet Balwinder Amandeep Sukhdev Kuldeep Ranjit Fateh"),
			women:      list("Simran Gurleen Manpreet Navneet Jasleen Paramjit Rajwinder Amrit Harleen"),
			families:   list("Gill Sandhu Dhillon Sidhu Grewal Bajwa Randhawa Ahluwalia Bedi"),
			maleMiddle: "Singh", femaleMiddle: "Kaur",
		},
		rajasthani: community{
			men:      list("Bhanwar Mahendra Devendra Hemant Lokesh Kailash Narendra Mukesh Yuvraj"),
			women:    list("Kanchan Bhagwati Sushila Mamta Pushpa Hemlata Manju Garima Kiran"),
			families: list("Rathore Shekhawat Choudhary Jain Maheshwari Meena Bishnoi Soni Joshi Khandelwal"),
		},
		kashmiri: community{
			men:      list("Bilal Tariq Aijaz Showkat Mudasir Basit Ishfaq Suhail"),
			women:    list("Insha Rifat Mehvish Shazia Masrat Nighat Iqra Uzma"),
			families: list("Bhat Dar Lone Wani Mir Shah Malik Rather"),
		},
		gujarati: community{
			men:      list("Jignesh Hitesh Bhavesh Ketan Nirav Chirag Mehul Parth Dhruv Jayesh"),
			women:    list("Hetal Komal Bhavna Jinal Krupa Dipti Falguni Riddhi Urvi Nisha"),
			families: list("Patel Shah Desai Mehta Parmar Solanki Trivedi Modi Vaghela Rabari"),
		},
		marathi: community{
			men:      list("Sachin Nilesh Prashant Mahesh Ganesh Swapnil Tushar Ajinkya Omkar Vishwas"),
			women:    list("Sneha Vaishali Manisha Ashwini Madhuri Shubhangi Ketaki Rutuja Mrunal Sayali"),
			families: list("Deshpande Kulkarni Jadhav Pawar More Shinde Gaikwad Kamble Bhosale Chavan Sawant"),
		},
		parsi: community{
			men:      list("Cyrus Rustom Jehangir Hormuz Farhad"),
			women:    list("Roxanne Freny Shirin Delnaz Perin"),
			families: list("Mistry Daruwala Contractor Wadia Bharucha"),
		},
		goan: community{
			men:      list("Savio Agnelo Nelson Joaquim Melvin Rohan"),
			women:    list("Fatima Lourdes Sharmila Natasha Philomena Ana"),
			families: list("Fernandes Dsouza Pereira Rodrigues Naik Gaonkar"),
		},
		kannada: community{
			men:      list("Manjunath Basavaraj Raghavendra Chethan Naveen Girish Shreyas Siddesh Nagaraj"),
			women:    list("Shwetha Kavya Bhavya Vidya Sowmya Chaitra Lakshmi Deepa Sahana"),
			families: list("Gowda Hegde Shetty Patil Rao Bhat Hiremath Kamath Nayak Murthy"),
		},
		telugu: community{
			men:      list("Srinivas Venkatesh Ravi Sai Praveen Kiran Chaitanya Harish Mahesh Rambabu"),
			women:    list("Swathi Sirisha Padmaja Lavanya Haritha Sravani Bhargavi Anusha Vijaya"),
			families: list("Reddy Naidu Rao Chowdary Goud Raju Varma Yadav Pasupuleti Kommineni"),
		},
		tamil: community{
			men:      list("Karthik Senthil Murugan Saravanan Prabhu Arun Dinesh Vignesh Ezhil Kathir"),
			women:    list("Kavitha Revathi Nithya Priyadarshini Gayathri Meena Tamilselvi Yazhini Bhuvana"),
			families: list("Subramanian Natarajan Selvaraj Krishnan Palanisamy Rajendran Pandian Sundaram Iyer Chelladurai"),
		},
		malayali: community{
			men:      list("Anoop Vishnu Sreejith Rajeev Unnikrishnan Ajith Nikhil Hari"),
			women:    list("Lakshmi Sreeja Athira Remya Parvathy Divya Indu Anjana"),
			families: list("Nair Menon Pillai Kurup Nambiar Warrier Panicker"),
		},
		syrian: community{
			men:      list("Jacob Thomas Biju Shaji Jinu Abin Joseph"),
			women:    list("Anju Mariamma Sherin Tessy Rosamma Neethu Elsa"),
			families: list("Varghese Kurian Mathew Cherian Chacko Philip Thekkekara"),
		},
		bengali: community{
			men:      list("Sourav Debashis Anirban Subhash Partha Arindam Sandip Rudra Tapan"),
			women:    list("Moumita Sharmistha Ananya Rituparna Debjani Sutapa Paromita Mitali Ishani"),
			families: list("Banerjee Mukherjee Chatterjee Ghosh Bose Das Sen Dutta Mondal Saha Biswas"),
		},
		odia: community{
			men:      list("Bibhuti Prasanta Subrat Manas Jagannath Soumya Akash"),
			women:    list("Sasmita Itishree Subhashree Lopamudra Mamata Barsha"),
			families: list("Mohanty Patnaik Behera Sahoo Nayak Pradhan Jena"),
		},
		assamese: community{
			men:      list("Bhaskar Dhruba Jyotishman Pranab Nayan Hemanta"),
			women:    list("Junmoni Rimjhim Barnali Dipannita Mousumi Kakoli"),
			families: list("Borah Saikia Kalita Baruah Gogoi Deka Hazarika"),
		},
		bihari: community{
			men:      list("Ranjan Santosh Abhay Birendra Chandan Sunil Nitish"),
			women:    list("Punam Rinku Sangita Babita Khushboo Nutan"),
			families: list("Jha Sinha Prasad Singh Paswan Thakur Mandal"),
		},
		adivasi: community{
			men:      list("Birsa Sukra Mangal Anuj Budhu Ajay"),
			women:    list("Phulmani Salomi Sumitra Basanti Jyoti Sushma"),
			families: list("Munda Soren Oraon Hembram Murmu Tirkey Kujur"),
		},
		khasi: community{
			men:      list("Banshan Kitbok Shanbor Donbor"),
			women:    list("Daphisha Ibanri Larisa Wanda"),
			families: list("Lyngdoh Kharkongor Nongrum Syiem Marbaniang"),
		},
		naga: community{
			men:      list("Neiketu Vikho Kevi Imti Temsu"),
			women:    list("Azeno Neilhou Ketho Temsula Asenla"),
			families: list("Angami Sema Ao Lotha Jamir"),
		},
		meitei: community{
			men:      list("Ibomcha Tomba Chaoba Sanjoy Rojit"),
			women:    list("Sanatombi Memcha Linthoi Bembem Ranjita"),
			families: list("Laishram Thounaojam Ningthoujam Moirangthem Khundrakpam"),
		},
	}
}
