// Package model holds the records of the clinic (users, patients, doctors, and
// mappings, which assign a doctor to a patient), their validation, the access
// policy, the viewer and the error type. It never uses a database, a network or a
// clock: the time is an argument.
package model
