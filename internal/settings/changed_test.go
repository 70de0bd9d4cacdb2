package settings

import (
	"fmt"
	"testing"
)

// TestChanged_NamesWhatIsNotTheDefault, and shows no secret.
func TestChanged_NamesWhatIsNotTheDefault(t *testing.T) {
	t.Parallel()
	env := environment(map[string]string{"DATABASE_URL": "postgres://u:hunter2@h/d", "CAREGRAPH_MAX_DEPTH": "16", "CAREGRAPH_MAIL": "smtps://u:hunter2@h:465", "CAREGRAPH_MAIL_FROM": "Desk <desk@clinic.example>"})
	got := fmt.Sprint(Changed([]string{"--max-cost=20000", "--session-ttl", "720h", "--playground=false"}, env))
	if want := "[database-url=(set) playground=false mail=(set) mail-from=(set) max-cost=20000]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
