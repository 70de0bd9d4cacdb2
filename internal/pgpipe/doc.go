// Package pgpipe is the wire layer under the store. It sends prepared statements to
// PostgreSQL in pipelines, caches them for each connection, coalesces small reads of
// concurrent requests into one round trip, and returns rows in PostgreSQL's binary
// format. It never contains SQL or knows a record type.
package pgpipe
