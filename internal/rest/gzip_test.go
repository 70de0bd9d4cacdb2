package rest_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
)

func TestAnswers_AreZippedWhenTheyAreLong(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	rahul := s.Account("Rahul", model.RolePatient)
	rahul.Patient("Arjun")
	unzip := func(body string) string {
		zip, err := gzip.NewReader(strings.NewReader(body))
		testutil.Must(t, err)
		text, err := io.ReadAll(zip)
		testutil.Must(t, err)
		return string(text)
	}
	check := func(path, accept string, zipped bool) {
		t.Helper()
		_, plain, err := s.get(rahul, path)
		testutil.Must(t, err)
		response, body, err := s.get(rahul, path, "Accept-Encoding", accept)
		testutil.Must(t, err)
		if is := response.Header.Get("Content-Encoding") == "gzip"; is != zipped {
			t.Errorf("%s, %s: zipped is %t", path, accept, is)
		} else if is {
			if len(body) > len(plain)/2 {
				t.Errorf("%s: %d bytes of %d", path, len(body), len(plain))
			}
			body = unzip(body)
		}
		if body != plain {
			t.Errorf("%s, %s: %s", path, accept, body)
		}
	}
	check(patients, "gzip", false) // it is short
	for _, size := range []int{10, 250} {
		crowd(s.Server, rahul, size, "Here")
		for accept, zipped := range map[string]bool{
			"gzip": true, "gzip, deflate, br": true, "br;q=1.0, gzip;q=0.8, *;q=0.1": true, "*": true, "x-gzip": true, "GZIP": true,
			"": false, "identity": false, "br": false, "gzip;q=0": false, "*, gzip;q=0": false, "*;q=0": false, ";;": false,
		} {
			check(patients, accept, zipped)
		}
	}
	// A strong tag identifies exactly these bytes.
	s.Exec(`UPDATE patients SET medical_history = repeat('x', 5000)`)
	check(patients+"1/", "gzip", false)
}

// TestAnswers_WithTokensAreNeverZipped, however long they are: the length would reveal
// something about the tokens.
func TestAnswers_WithTokensAreNeverZipped(t *testing.T) {
	t.Parallel()
	s := serve(t, graphtest.Options{})
	email := strings.Repeat("a", 60) + "@" + strings.Repeat("bbbbbbbbb.", 15) + "example"
	got := s.send("POST", register, `{"username":"`+strings.Repeat("u", 100)+`","email":"`+email+`","password":"`+graphtest.Password+
		`","role":"patient","device":""}`, "Accept-Encoding", "gzip")
	if got.header.Get("Content-Encoding") != "" || len(got.text) < 1024 || !strings.Contains(got.text, `"access":"ey`) {
		t.Errorf("%d bytes are encoded as %q: %s", len(got.text), got.header.Get("Content-Encoding"), got.text)
	}
}
