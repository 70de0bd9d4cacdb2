// Package testutil holds the helpers that the tests of several packages share. It
// never imports another package of the project, so every test can use it.
package testutil

import (
	"reflect"
	"testing"
)

// Must ends the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Equal reports an error if got and want differ by reflect.DeepEqual. what names
// the value in the message.
func Equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\ngot  %v\nwant %v", what, got, want)
	}
}
