// Package model holds the things the clinic speaks of: users, patients, doctors
// and mappings (a doctor assigned to a patient), what makes each of them valid,
// who is looking, and the one error type. It never touches a database, a
// network or a clock; the time comes in as an argument.
package model
