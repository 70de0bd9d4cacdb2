package testutil

import (
	"errors"
	"testing"
)

// recorder records failures instead of failing its test.
type recorder struct {
	testing.TB
	failures int
}

func (*recorder) Helper()                 {}
func (r *recorder) Fatal(...any)          { r.failures++ }
func (r *recorder) Errorf(string, ...any) { r.failures++ }

func TestHelpers_FailOnlyIfSomethingIsWrong(t *testing.T) {
	t.Parallel()
	r := &recorder{TB: t}
	Must(r, nil)
	Equal(r, "slice", []int{1}, []int{1})
	if r.failures > 0 {
		t.Errorf("%d failures without a difference", r.failures)
	}
	Must(r, errors.New("broken"))
	Equal(r, "slice", []int{1}, []int{2})
	if r.failures != 2 {
		t.Errorf("%d failures, want 2", r.failures)
	}
}
