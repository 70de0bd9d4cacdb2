package store

// Constraints is for the test that every unique index is translated.
var Constraints = constraints
