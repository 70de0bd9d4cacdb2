package rest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/model"
)

// everyMethod returns all methods that an address may have.
func everyMethod() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
	}
}

// Foreign records get the same bytes as unknown ones, with every method and
// body, and do not change.
func TestForeignRecords_AreAnsweredLikeUnknownOnes(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul, asha := s.Account("Rahul", model.RolePatient), s.Account("Asha", model.RolePatient)
	// Numbers that none of her records has.
	for range 3 {
		rahul.Patient("Filler")
		s.Exec(`UPDATE patients SET email = NULL, record_number = NULL`)
	}
	patient := rahul.Patient("Arjun")
	s.Exec(`UPDATE patients SET email = NULL, record_number = NULL`)
	rahul.Assign(patient, rahul.Entry("Dr. Priya"), "secret notes")
	s.Exec(`UPDATE mappings SET id = 4`) // the number of the patient
	before := s.Row(`SELECT string_agg(p::text, ';' ORDER BY id) FROM patients p`) + s.Row(`SELECT string_agg(m::text, ';') FROM mappings m`)
	bodies := []string{``, `{}`, arjunsBody, `{"name":""}`, `{"gender":"x"}`, `{"name":"\u0000","experience_years":"x"}`, `[]`, `{`}
	headers := [][]string{nil, {"If-Match", `"1"`}, {"If-None-Match", "*"}, {"If-Match", "*"}, {"If-Match", `"1", "2"`}}
	for _, path := range []string{patients + "%/", patients + "%", mappings + "%/", patients + "%/mappings/"} {
		for _, method := range everyMethod() {
			for _, body := range bodies {
				for _, header := range headers {
					foreign := s.as(asha, method, strings.Replace(path, "%", "4", 1), body, header...)
					for _, id := range []string{"99999", "0", "00", strings.Repeat("9", 25)} {
						unknown := s.as(asha, method, strings.Replace(path, "%", id, 1), body, header...)
						s.want(foreign, unknown.status, unknown.text)
					}
					if (method == http.MethodGet || method == http.MethodDelete) && foreign.status != http.StatusNotFound && foreign.status != http.StatusMethodNotAllowed {
						t.Errorf("%s %s: %d", method, path, foreign.status)
					}
				}
			}
		}
	}
	for _, path := range []string{patients, mappings} {
		s.want(s.as(asha, http.MethodGet, path, ""), http.StatusOK, `[]`)
	}
	for _, doctor := range []string{`1`, `99`, `"x"`} {
		for _, id := range []string{"99999", "4"} {
			got := s.as(asha, http.MethodPost, mappings, `{"patient":`+id+`,"doctor":`+doctor+`,"notes":"x"}`)
			if got.status != http.StatusBadRequest || !strings.HasPrefix(got.text, strings.TrimSuffix(unknownPK("patient", id), "}")) {
				t.Errorf("%d %s", got.status, got.text)
			}
		}
	}
	after := s.Row(`SELECT string_agg(p::text, ';' ORDER BY id) FROM patients p`) + s.Row(`SELECT string_agg(m::text, ';') FROM mappings m`)
	if before != after {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

// The token is checked before anything else.
func TestAddresses_WantATokenForEveryMethod(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	for path, allow := range map[string]string{
		patients:                 "GET, POST, HEAD, OPTIONS",
		patients + "1/":          "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
		patients + "1/mappings/": "GET, HEAD, OPTIONS",
		doctors:                  "GET, POST, HEAD, OPTIONS",
		doctors + "1/":           "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
		mappings:                 "GET, POST, HEAD, OPTIONS",
		mappings + "1/":          "GET, DELETE, HEAD, OPTIONS",
	} {
		for _, method := range everyMethod() {
			for _, at := range []string{path, strings.TrimSuffix(path, "/")} {
				got := s.send(method, at, `{`)
				want := noCredentials
				if method == http.MethodHead {
					want = ""
				}
				s.want(got, http.StatusUnauthorized, want)
				if got.header.Get("Allow") != allow {
					t.Errorf("%s %s: Allow %s, want %s", method, at, got.header.Get("Allow"), allow)
				}
			}
		}
	}
}

func TestAddresses_MethodsThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	for path, methods := range map[string]string{
		patients: "PUT PATCH DELETE TRACE", doctors: "PUT PATCH DELETE", mappings: "PUT PATCH DELETE",
		patients + "1/": "POST", doctors + "1/": "POST", mappings + "1/": "POST PUT PATCH", patients + "1/mappings/": "POST PUT PATCH DELETE",
	} {
		for method := range strings.FieldsSeq(methods) {
			for _, at := range []string{path, strings.TrimSuffix(path, "/")} {
				s.want(s.as(rahul, method, at, `{`, "Content-Type", "text/plain"), http.StatusMethodNotAllowed, `{"detail":"Method \"`+method+`\" not allowed."}`)
			}
		}
		got := s.as(rahul, http.MethodOptions, path, "")
		if got.status != http.StatusOK || !strings.Contains(got.text, `"parses":["application/json"`) {
			t.Errorf("OPTIONS %s: %d %s", path, got.status, got.text)
		}
	}
	for _, path := range []string{patients + "abc/", patients + "-1/", patients + "1.0/", patients + "1/1/", doctors + "1/mappings/", "/api/mappings/1/patients/", "/api/1/"} {
		for _, method := range everyMethod() {
			if got := s.as(rahul, method, path, ""); got.status != http.StatusNotFound || got.header.Get("Allow") != "" {
				t.Errorf("%s %s: %d", method, path, got.status)
			}
		}
	}
}

// With and without the slash.
func TestBodies_MalformedAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	deep := `{"name":` + strings.Repeat(`[`, 9_500) + strings.Repeat(`]`, 9_500) + `}`
	for path, method := range map[string]string{
		patients: "POST", doctors: "POST", mappings: "POST", patients + "1/": "PUT", patients + "1": "PATCH",
		doctors + "1/": "PATCH", doctors + "1": "PUT", patients[:len(patients)-1]: "POST", mappings[:len(mappings)-1]: "POST",
	} {
		for _, body := range []string{`{`, `{"name":"\xff"}`, "{\"name\":\"\xff\"}", `{"name":NaN}`, `[]`, `null`, `"x"`, `5`, `{"name":"x"}}`, strings.Repeat(`[`, 15_000), deep} {
			if got := s.as(rahul, method, path, body); got.status != http.StatusBadRequest &&
				(body != deep || path != mappings) {
				t.Errorf("%s %s %.20s: %d %s", method, path, body, got.status, got.text)
			}
		}
		got := s.as(rahul, method, path, `<a/>`, "Content-Type", "application/xml")
		s.want(got, http.StatusUnsupportedMediaType, `{"detail":"Unsupported media type \"application/xml\" in request."}`)
		s.want(s.as(rahul, method, path, `{"name":"`+strings.Repeat("a", maxBody)+`"}`), http.StatusRequestEntityTooLarge,
			`{"detail":"The request body is longer than 20000 bytes."}`)
	}
	if got := s.Row(`SELECT version::text FROM patients`) + s.Row(`SELECT version::text FROM doctors`) + s.Row(`SELECT count(*)::text FROM mappings`); got != "110" {
		t.Errorf("something was changed: %s", got)
	}
}

// None of the answers is an error of the server.
func TestRaces_OneIsDoneAndTheOthersAreRefused(t *testing.T) {
	t.Parallel()
	for path, body := range map[string]string{
		patients: arjunsBody, doctors: priyasBody, mappings: `{"patient":1,"doctor":1}`,
	} {
		s, rahul := pair(t)
		got := s.atOnce(rahul, http.MethodPost, path, body)
		if got[http.StatusCreated] != 1 || got[http.StatusBadRequest] != racers-1 {
			t.Errorf("POST %s: %v", path, got)
		}
	}
	s, rahul := pair(t)
	rahul.Assign("pat_1", "doc_1", "")
	for _, path := range []string{mappings, patients, doctors} {
		got := s.atOnce(rahul, http.MethodDelete, path+"1/", "")
		if got[http.StatusNoContent] != 1 || got[http.StatusNotFound] != racers-1 {
			t.Errorf("DELETE %s: %v", path, got)
		}
	}
}

func TestRaces_OneOfTheSameVersionIsDone(t *testing.T) {
	t.Parallel()
	s, rahul := pair(t)
	for _, path := range []string{patients, doctors} {
		got := s.atOnce(rahul, http.MethodPatch, path+"1/", `{"name":"X"}`, "If-Match", `"1"`)
		if got[http.StatusOK] != 1 || got[http.StatusPreconditionFailed] != racers-1 {
			t.Errorf("PATCH %s: %v", path, got)
		}
	}
}

const racers = 8

// atOnce sends the same request many times at once, and counts the statuses.
func (s server) atOnce(who *graphtest.Client, method, path, body string, headers ...string) map[int]int {
	s.t.Helper()
	replies := make([]reply, racers)
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() { replies[i] = s.as(who, method, path, body, headers...) })
	}
	all.Wait()
	counts := map[int]int{}
	for _, got := range replies {
		counts[got.status]++
	}
	return counts
}
