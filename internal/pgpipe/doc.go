// Package pgpipe is the wire layer under the store: it sends prepared statements
// to PostgreSQL in pipelines, caches what is prepared on each connection,
// coalesces small reads of concurrent requests into one round trip, and keeps
// rows in PostgreSQL's binary format. It contains no SQL of its own and knows no
// record.
package pgpipe
