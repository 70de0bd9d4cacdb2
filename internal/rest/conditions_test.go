package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
)

const (
	changedMeanwhile = `{"detail":"Someone else has changed this record. Load it again, then repeat your change."}`
	otherVersion     = `{"detail":"The record has another version by now."}`
)

func TestETag_IsTheVersionOfSinglePatientsAndDoctors(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	tag := func(method, path, body, want string) {
		t.Helper()
		if got := s.as(rahul, method, path, body); got.header.Get("ETag") != want {
			t.Errorf("%s %s: %d with ETag %s, want %s", method, path, got.status, got.header.Get("ETag"), want)
		}
	}
	for path, body := range map[string]string{patients: arjunsBody, doctors: priyasBody} {
		tag(http.MethodPost, path, body, `"1"`)
		one := path + "2/"
		tag(http.MethodGet, one, "", `"1"`)
		tag(http.MethodHead, one, "", `"1"`)
		tag(http.MethodPut, one, body, `"2"`)
		tag(http.MethodPatch, one, `{"name":"X"}`, `"3"`)
		tag(http.MethodGet, one, "", `"3"`)
		// No others have one.
		tag(http.MethodGet, path, "", "")
		tag(http.MethodPatch, one, `{"name":""}`, "")
		tag(http.MethodOptions, one, "", "")
		tag(http.MethodDelete, one, "", "")
		tag(http.MethodGet, one, "", "")
	}
	tag(http.MethodPost, mappings, `{"patient":1,"doctor":1}`, "")
	tag(http.MethodGet, mappings+"1/", "", "")
}

func TestConditions_OfReading(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	s.as(rahul, http.MethodPatch, patients+"1/", `{}`)
	s.as(rahul, http.MethodPatch, doctors+"1/", `{}`) // both have version 2
	for _, path := range []string{patients + "1/", doctors + "1/", patients + "1"} {
		whole := s.as(rahul, http.MethodGet, path, "")
		for _, c := range []struct {
			header, value string
			status        int
		}{
			{"If-None-Match", `"2"`, 304},
			{"If-None-Match", `W/"2"`, 304},
			{"If-None-Match", `*`, 304},
			{"If-None-Match", `"1", W/"2"`, 304},
			{"If-None-Match", `"1"`, 200},
			{"If-None-Match", `2`, 200},
			{"If-None-Match", `"a,"2""`, 200},
			{"If-None-Match", ``, 200},
			{"If-Match", `"2"`, 200},
			{"If-Match", `*`, 200},
			{"If-Match", `"1","2"`, 200},
			{"If-Match", `W/"2"`, 412},
			{"If-Match", `"1"`, 412},
			{"If-Match", `2`, 412},
		} {
			got := s.as(rahul, http.MethodGet, path, "", c.header, c.value)
			switch c.status {
			case http.StatusOK:
				s.want(got, 200, whole.text)
			case http.StatusNotModified:
				s.want(got, 304, "")
			default:
				s.want(got, 412, otherVersion)
			}
			if want := map[int]string{200: `"2"`, 304: `"2"`}[c.status]; got.header.Get("ETag") != want {
				t.Errorf("%s: %s: ETag %s, want %s", c.header, c.value, got.header.Get("ETag"), want)
			}
			if head := s.as(rahul, http.MethodHead, path, "", c.header, c.value); head.status != c.status {
				t.Errorf("HEAD with %s: %s: %d, want %d", c.header, c.value, head.status, c.status)
			}
		}
	}
	s.want(s.as(rahul, http.MethodGet, patients+"9/", "", "If-Match", `"1"`), http.StatusNotFound, notFound)
	s.want(s.as(rahul, http.MethodGet, patients+"9/", "", "If-None-Match", `*`), http.StatusNotFound, notFound)
	if got := s.as(rahul, http.MethodGet, patients, "", "If-None-Match", `*`); got.status != http.StatusOK {
		t.Errorf("a list has no tag, and got %d", got.status)
	}
}

func TestConditions_OfChanging(t *testing.T) {
	t.Parallel()
	for _, path := range []string{patients + "1/", doctors + "1/"} {
		for _, c := range []struct {
			header, value string
			done          bool
		}{
			{"If-Match", `"3"`, true},
			{"If-Match", `*`, true},
			{"If-Match", `"1", "3"`, true},
			{"If-Match", `W/"1", "3"`, true},
			{"If-Match", `"2"`, false},
			{"If-Match", `"1", "2"`, false},
			{"If-Match", `W/"3"`, false},
			{"If-Match", `3`, false},
			{"If-Match", `"03"`, false},
			{"If-Match", `"99999999999999999999"`, false},
			{"If-Match", `"-1"`, false},
			{"If-Match", ``, false},
			{"If-None-Match", `"3"`, false},
			{"If-None-Match", `W/"3"`, false},
			{"If-None-Match", `*`, false},
			{"If-None-Match", `"2"`, true},
		} {
			s, rahul := pair(t)
			s.as(rahul, http.MethodPatch, path, `{}`)
			s.as(rahul, http.MethodPatch, path, `{}`)
			before := s.as(rahul, http.MethodGet, path, "")
			got := s.as(rahul, http.MethodPatch, path, `{"name":"Changed"}`, c.header, c.value)
			if !c.done {
				s.want(got, http.StatusPreconditionFailed, changedMeanwhile)
				s.want(s.as(rahul, http.MethodDelete, path, "", c.header, c.value), http.StatusPreconditionFailed, changedMeanwhile)
				s.want(s.as(rahul, http.MethodGet, path, ""), http.StatusOK, before.text)
				continue
			}
			if got.status != http.StatusOK || got.header.Get("ETag") != `"4"` || !strings.Contains(got.text, "Changed") {
				t.Errorf("%s: %s: %d %s", c.header, c.value, got.status, got.text)
			}
		}
	}
}

func TestConditions_ComeAfterWhoMayAndBeforeWhatIsSaid(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	c := s.NewClinic()
	entry, patient := doctors+number(c.PriyasEntry)+"/", patients+number(c.Patient)+"/"
	for _, value := range []string{`"99"`, `"98", "99"`, `W/"1"`} {
		s.want(s.as(c.Asha, http.MethodPatch, patient, `{"name":""}`, "If-Match", value), http.StatusNotFound, notFound)
		s.want(s.as(c.Asha, http.MethodPatch, entry, `{"name":""}`, "If-Match", value), http.StatusForbidden, forbidden)
		s.want(s.as(c.Priya, http.MethodPatch, entry, `{"name":""}`, "If-Match", value), http.StatusPreconditionFailed, changedMeanwhile)
		s.want(s.as(c.Priya, http.MethodPatch, entry, `{"experience_years":"x"}`, "If-Match", value), http.StatusPreconditionFailed, changedMeanwhile)
		s.want(s.as(c.Priya, http.MethodPatch, entry, `{`, "If-Match", value), http.StatusBadRequest,
			`{"detail":"JSON parse error - Unexpected text: line 1 column 1 (char 0)"}`)
	}
	s.want(s.as(c.Priya, http.MethodPatch, entry, `{"name":""}`, "If-Match", `*`), http.StatusBadRequest, `{"name":`+blank+`}`)
}
