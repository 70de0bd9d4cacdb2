package main

import (
	"fmt"
	"slices"
)

// workload is a kind of request, and the goals for it.
type workload struct {
	name, title string
	goals       goals
	// document is the GraphQL operation.
	document  string
	variables func(call) map[string]any
	// floor returns the path of the same work on the floor server.
	floor func(call) string
	// writes says that it creates rows. The benchmark removes them after each
	// measurement.
	writes bool
}

// goals are what our server must reach, as multiples of the first floor.
type goals struct {
	CPU       float64 `json:"cpu,omitempty"`     // at most, 0 for no goal
	PerSecond float64 `json:"requestsPerSecond"` // at least
	P99       float64 `json:"p99"`               // at most
}

// missed names the goals that the ratios do not reach.
func (g goals) missed(r ratios) (names []string) {
	if g.CPU > 0 && r.CPU > g.CPU {
		names = append(names, "CPU")
	}
	if r.PerSecond < g.PerSecond {
		names = append(names, "requests/s")
	}
	if r.P99 > g.P99 {
		names = append(names, "p99")
	}
	return names
}

// call is one request of a workload: the caller and the arguments.
type call struct {
	token                  string
	patient, doctor, owner int64
	first                  int
	name                   string
	// key is the Idempotency-Key, "" for none.
	key string
}

// usualPage is the page size of W2 unless a measurement sets another one.
// fullPage is that of W3 and W5.
const (
	usualPage = 20
	fullPage  = 50
)

// workloads lists W1 to W5. The caller is an ordinary account in all of them.
func workloads() []workload {
	return []workload{
		{
			name: "W1", title: "one patient by id", goals: goals{0.95, 0.80, 1.3},
			document: `query ($id: ID!) { patient(id: $id) { id name dateOfBirth gender phone } }`,
			variables: func(c call) map[string]any {
				return map[string]any{"id": fmt.Sprintf("pat_%d", c.patient)}
			},
			floor: func(c call) string { return fmt.Sprintf("/W1/%d", c.patient) },
		},
		{
			name: "W2", title: "20 patients, mappings, doctors", goals: goals{1.08, 0.80, 1.3},
			document: `query ($first: Int!) {
				patients(first: $first) { nodes { id name
					mappings { nodes { notes assignedAt doctor { name specialization } } } } } }`,
			variables: func(c call) map[string]any { return map[string]any{"first": c.first} },
			floor:     func(c call) string { return fmt.Sprintf("/W2/%d/%d", c.owner, c.first) },
		},
		{
			name: "W3", title: "50 patients, all fields", goals: goals{1.05, 0.85, 1.0},
			document: `query ($first: Int!) {
				patients(first: $first) { nodes {
					id name dateOfBirth gender email phone address emergencyContact bloodGroup medicalHistory
					createdAt updatedAt version
					mappings { nodes {
						id notes isActive assignedAt endedAt createdAt updatedAt
						doctor { id name email phone specialization licenseNumber experienceYears address
							consultationFee availability isVerified createdAt updatedAt version } } } } } }`,
			variables: func(call) map[string]any { return map[string]any{"first": fullPage} },
			floor:     func(c call) string { return fmt.Sprintf("/W3/%d/%d", c.owner, fullPage) },
		},
		{
			name: "W4", title: "create a patient", goals: goals{1.12, 0.85, 1.0}, writes: true,
			document: `mutation ($input: CreatePatientInput!) {
				createPatient(input: $input) {
					patient { id name dateOfBirth gender phone } userErrors { code } } }`,
			variables: func(c call) map[string]any { return map[string]any{"input": newPatient(c)} },
			floor:     func(c call) string { return fmt.Sprintf("/W4/%d", c.owner) },
		},
		{
			name: "W5", title: "a doctor's 50 patients", goals: goals{0, 0.80, 1.3},
			document: `query ($id: ID!, $first: Int!) {
				doctor(id: $id) { name mappings(first: $first) { nodes { patient { name } } } } }`,
			variables: func(c call) map[string]any {
				return map[string]any{"id": fmt.Sprintf("doc_%d", c.doctor), "first": fullPage}
			},
			floor: func(c call) string { return fmt.Sprintf("/W5/%d/%d", c.doctor, fullPage) },
		},
	}
}

// keyedName is the name of keyed.
const keyedName = "W4-key"

// keyed is W4 with an Idempotency-Key: the record, its row of the change feed and that of
// the request are durable together. It is measured only by its name and with --live.
func keyed() workload {
	all := workloads()
	load := all[slices.IndexFunc(all, func(w workload) bool { return w.name == "W4" })]
	load.name, load.title, load.goals = keyedName, "create a patient, with a key", goals{}
	load.floor = func(c call) string { return fmt.Sprintf("/%s/%d/floor-%s", keyedName, c.owner, c.key) }
	return load
}

// newPatient returns an input without an e-mail, which would have to be unique.
func newPatient(c call) map[string]any {
	return map[string]any{
		"name": c.name, "dateOfBirth": "1990-05-15", "gender": "FEMALE", "phone": "+919876543210",
		"address": "12 Lake Road, Pune 411001", "emergencyContact": "+919812345678",
	}
}
