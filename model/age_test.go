package model_test

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

// TestAgeAt_IsTheCompletedYears by the Indian day, which begins at 18:30 UTC.
func TestAgeAt_IsTheCompletedYears(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		born, now string
		want      int
	}{
		{"1990-05-15", "2020-05-14T18:29:59Z", 29},
		{"1990-05-15", "2020-05-14T18:30:00Z", 30},
		{"1990-12-31", "2020-12-30T18:30:00Z", 30},
		{"1990-01-01", "2019-12-31T18:29:59Z", 29},
		{"1990-01-01", "2019-12-31T18:30:00Z", 30},
		{"2000-02-29", "2001-02-28T12:00:00Z", 0},
		{"2000-02-29", "2001-02-28T18:30:00Z", 1},
		{"2000-02-29", "2004-02-28T12:00:00Z", 3},
		{"2000-02-29", "2004-02-28T18:30:00Z", 4},
		{"2020-05-15", "2020-05-15T00:00:00Z", 0},
		{"2020-05-16", "2020-05-15T00:00:00Z", 0}, // it is tomorrow
		{"1890-01-01", "2020-01-01T00:00:00Z", 130},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, zone := range []*time.Location{time.UTC, model.India, time.FixedZone("far west", -12*3600)} {
			if got := model.ParseDate(c.born).AgeAt(now.In(zone)); got != c.want {
				t.Errorf("born on %s, at %s: %d, want %d", c.born, now.In(zone), got, c.want)
			}
		}
	}
}

// TestAgeAt_GrowsByOneEachBirthday for every day of birth.
func TestAgeAt_GrowsByOneEachBirthday(t *testing.T) {
	t.Parallel()
	first := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := first; day.Year() < 2005; day = day.AddDate(0, 0, 1) {
		for years := range 20 {
			// In other years AddDate turns 29 February into 1 March.
			birthday := time.Date(day.Year()+years, day.Month(), day.Day(), 0, 0, 0, 0, model.India)
			before := model.DateOf(day).AgeAt(birthday.Add(-time.Second))
			if got := model.DateOf(day).AgeAt(birthday); got != years || before != max(years-1, 0) {
				t.Fatalf("born on %s, on %s: %d, a second before %d", day, birthday, got, before)
			}
		}
	}
}
