package store

import (
	"strings"
	"testing"
)

func TestPlace_HasNoPassword(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:hunter2@db.example/clinic":                              "clinic on db.example:5432",
		"postgres://u:hunter2@[::1]:7777/clinic?sslmode=disable":              "clinic on [::1]:7777",
		"host=db.example port=6432 user=u password=hunter2 dbname=clinic":     "clinic on db.example:6432",
		"postgres://u:hunter2@/clinic?host=/run/postgresql&application_name=": "clinic on /run/postgresql:5432",
	} {
		if got, err := Place(url); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if got, err := Place("postgres://u:hunter2@db.example:no/clinic"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %q, %v", got, err)
	}
}
