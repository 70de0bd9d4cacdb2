// Package e2e tests the built binary over the network, as its users run it, and
// the documents that describe it. It has tests only.
package e2e
