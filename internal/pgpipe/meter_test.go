package pgpipe_test

import (
	"errors"
	"testing"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
)

// meter allows as many bytes.
type meter struct{ allowed, counted int }

var errTooMany = errors.New("too many bytes")

func (m *meter) Add(bytes int) error {
	if m.counted += bytes; m.counted > m.allowed {
		return errTooMany
	}
	return nil
}

// TestMeter_EndsAStatementWhileItsRowsArrive: the rest of a hundred megabytes is not read,
// and the next statement gets a good connection.
func TestMeter_EndsAStatementWhileItsRowsArrive(t *testing.T) {
	t.Parallel()
	pool := open(t, nil)
	const rows = "SELECT repeat('a', 10000) FROM generate_series(1, 10000)"
	for name, more := range map[string][]*pgpipe.Statement{
		"alone": nil, "in a pipeline": {pgpipe.NewStatement("SELECT 1")},
	} {
		for range 3 { // prepared and known later on
			st, m := pgpipe.NewStatement(rows), &meter{allowed: 1 << 20}
			st.Meter = m
			err := pool.Run(t.Context(), append([]*pgpipe.Statement{st}, more...)...)
			if !errors.Is(err, errTooMany) || m.counted > 2<<20 {
				t.Errorf("%s: %v after %d bytes", name, err, m.counted)
			}
			if got := mustShare(t, pool, "SELECT 'good'"); got != "good" {
				t.Errorf("%s: the next statement gets %q", name, got)
			}
		}
	}
	st, m := pgpipe.NewStatement("SELECT repeat('a', 100000) FROM generate_series(1, 10)"), &meter{allowed: 1 << 20}
	st.Meter = m
	testutil.Must(t, pool.Run(t.Context(), st))
	if m.counted != 1_000_000 || st.Rows.Len() != 10 {
		t.Errorf("%d bytes of %d rows were counted", m.counted, st.Rows.Len())
	}
}
