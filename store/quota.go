package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// Quotas bound what an account may store, so that one account cannot fill the disk.
type Quotas struct {
	// Records is how many records of each kind an account may create, deleted ones among
	// them; 0: any number. About a minute of writes may come on top.
	Records int
	// DailyBytes is how many bytes an account may write a day through this server; 0: any
	// number.
	DailyBytes int64
	// FreeDisk returns the free bytes of the disk with the database. Below MinFree only
	// administrators write. Nil: unknown.
	FreeDisk func() (int64, error)
	MinFree  int64
}

const (
	// exactRecords is how close to its quota an account is counted exactly.
	exactRecords = 1_000
	// bytesOfRow is what a write costs in addition to its texts.
	bytesOfRow = 512
)

// create stores a new record of the viewer. It returns LIMIT_EXCEEDED for one that is
// beyond the quota of the account, and the errors of mayWrite.
func (s *Store) create(ctx context.Context, v *model.Viewer, record interface {
	model.Record
	Life() *model.Lifecycle
},
) error {
	exactly, err := s.admit(ctx, v, record)
	if err != nil {
		return err
	}
	if !exactly {
		return s.insert(ctx, record)
	}
	return s.inTx(ctx, "create", func(ctx context.Context, tx bun.Tx) error {
		if err := s.lockQuota(ctx, tx, v, record); err != nil {
			return err
		}
		return s.insertIn(ctx, tx, record, record, generated)
	})
}

// admit checks the quotas for a new record, that of records by a count of the last
// minute. If exactly is set, the account is so close to it that lockQuota must decide.
func (s *Store) admit(ctx context.Context, v *model.Viewer, record model.Record) (exactly bool, err error) {
	if err := s.mayWrite(v, s.bytesOf(record)); err != nil {
		return false, err
	}
	if s.quotas.Records == 0 {
		return false, nil
	}
	rows, err := s.counts.get(s.quotaKey(v, record), s.now(), func() (int, error) { return s.owned(ctx, s.db, v, record) })
	switch {
	case err != nil:
		return false, s.translate(ctx, "count for the quota", err)
	case rows >= s.quotas.Records:
		return false, s.beyondQuota()
	default:
		return rows >= s.quotas.Records-exactRecords, nil
	}
}

// lockQuota counts exactly, and keeps other creations of the account waiting until the
// transaction ends.
func (s *Store) lockQuota(ctx context.Context, tx bun.Tx, v *model.Viewer, record model.Record) error {
	const lock = 0x51554f54 // any number that no other lock has
	if _, err := tx.NewRaw("SELECT pg_advisory_xact_lock(?, hashint8(?))", lock, v.UserID).Exec(ctx); err != nil {
		return err
	}
	rows, err := s.owned(ctx, tx, v, record)
	if err != nil {
		return err
	}
	s.counts.put(s.quotaKey(v, record), rows, s.now())
	if rows >= s.quotas.Records {
		return s.beyondQuota()
	}
	return nil
}

func (s *Store) quotaKey(v *model.Viewer, record model.Record) countKey {
	return countKey{"created " + record.TypeName(), v.UserID}
}

// owned counts the records of a kind that the account created, up to its quota.
func (s *Store) owned(ctx context.Context, db bun.IDB, v *model.Viewer, record model.Record) (n int, err error) {
	table := bun.Ident(s.records.Type(record.TypeName()).Table)
	err = db.NewRaw("SELECT count(*) FROM (SELECT FROM ? WHERE created_by = ? LIMIT ?) AS created", table, v.UserID, s.quotas.Records).Scan(ctx, &n)
	return n, err
}

func (s *Store) beyondQuota() error {
	return model.NewError(model.CodeLimitExceeded,
		fmt.Sprintf("Your account has created the %d records of this kind that --max-records allows.", s.quotas.Records))
}

// mayWrite counts the bytes of a write. It returns RATE_LIMITED for an account that wrote
// too much, and UNAVAILABLE if the disk is almost full, except to administrators. A nil
// viewer is someone who registers.
func (s *Store) mayWrite(v *model.Viewer, bytes int64) error {
	if s.quotas.FreeDisk != nil && (v == nil || v.Role != model.RoleAdmin) {
		if free, err := s.quotas.FreeDisk(); err == nil && free < s.quotas.MinFree {
			return model.NewError(model.CodeUnavailable, "The disk of the server is almost full: nothing can be stored until an operator makes room.")
		}
	}
	if v == nil || s.quotas.DailyBytes == 0 {
		return nil
	}
	if wait := s.written.take(v.UserID, bytes+bytesOfRow, s.quotas.DailyBytes, s.now()); wait > 0 {
		return model.RateLimited(fmt.Sprintf("Your account has written the %d bytes a day that --max-daily-bytes allows.", s.quotas.DailyBytes),
			int(wait.Seconds())+1)
	}
	return nil
}

// bytesOf returns the bytes of the texts in columns of a record, or in all columns.
func (s *Store) bytesOf(record any, columns ...string) (sum int64) {
	row := reflect.ValueOf(record).Elem()
	for _, field := range s.db.Table(row.Type()).Fields {
		if len(columns) > 0 && !slices.Contains(columns, field.Name) {
			continue
		}
		if value := reflect.Indirect(field.Value(row)); value.Kind() == reflect.String {
			sum += int64(value.Len())
		}
	}
	return sum
}

// written counts what accounts write: each has a budget, which fills up within a day.
type written struct {
	mu      sync.Mutex
	budgets map[int64]budget
}

type budget struct {
	left int64
	at   time.Time
}

const day = 24 * time.Hour

// take takes bytes from the budget of an account, or returns how long until they are
// there.
func (w *written) take(account, bytes, daily int64, now time.Time) (wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, known := w.budgets[account]
	if !known {
		w.forget(daily, now)
		b = budget{daily, now}
	}
	b = b.filled(daily, now)
	if b.left < bytes {
		return time.Duration(float64(bytes-b.left) / float64(daily) * float64(day))
	}
	w.budgets[account] = budget{b.left - bytes, b.at}
	return 0
}

// filled returns the budget now. The time of less than a byte stays.
func (b budget) filled(daily int64, now time.Time) budget {
	more := int64(float64(now.Sub(b.at)) / float64(day) * float64(daily))
	switch {
	case more <= 0:
		return b
	case b.left+more >= daily:
		return budget{daily, now}
	default:
		return budget{b.left + more, now}
	}
}

// forget drops full budgets from a large map.
func (w *written) forget(daily int64, now time.Time) {
	if w.budgets == nil {
		w.budgets = map[int64]budget{}
	}
	if len(w.budgets) < maxCounts {
		return
	}
	for account, b := range w.budgets {
		if b.filled(daily, now).left == daily {
			delete(w.budgets, account)
		}
	}
}
