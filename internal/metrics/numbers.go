package metrics

import (
	"slices"
	"time"
)

// numbers returns the metrics that the options have.
func (o Options) numbers() []number {
	return slices.Concat(o.ofDatabase(), o.ofPeople(), o.ofStreams(), o.ofMachine())
}

func (o Options) ofDatabase() []number {
	return []number{{
		"database_up", "1 if the connections of the pool, or the listener for ended sessions, work now, else 0.",
		gauge, "pool", func() map[string]float64 {
			values := map[string]float64{}
			for pool, up := range o.Up() {
				values[pool] = truth(up)
			}
			return values
		},
	}, {
		"listener_proven_seconds", "For how long requests have needed a proof that ended sessions are reported to this server; 0 if none does.",
		gauge, "", maybe(func() (float64, bool) {
			age, listens := o.Unproven()
			return age.Seconds(), listens
		}),
	}, {
		"sessions_recalled_total", "Sessions of requests: certain without a round trip, or not.", counter, "certain", many(o.Recalls),
	}, {
		"sessions_unannounced_total", "Messages about ended sessions that could not be sent. Other servers then refuse the session within 30 seconds.",
		counter, "", one(func() float64 { return float64(o.Unannounced()) }),
	}, {
		"purged_rows_total", "Rows that this server has removed after their retention.", counter, "table", many(func() map[string]int64 {
			rows, _ := o.Swept()
			return rows
		}),
	}, {
		"purge_last_success_timestamp_seconds", "When this server removed rows the last time. Of several servers one does it.", gauge, "", maybe(func() (float64, bool) {
			_, at := o.Swept()
			return timestamp(at)
		}),
	}, {
		"backup_archive_failed_total", "Segments of the log of writes that PostgreSQL could not archive.", counter, "", maybe(func() (float64, bool) {
			a := o.Archive()
			if a == nil {
				return 0, false
			}
			return float64(a.Failed), true
		}),
	}, {
		"backup_archive_age_seconds", "Time since PostgreSQL archived the last segment.", gauge, "", maybe(func() (float64, bool) {
			a := o.Archive()
			if a == nil || a.Age < 0 {
				return 0, false
			}
			return a.Age.Seconds(), true
		}),
	}}
}

func (o Options) ofPeople() []number {
	return []number{{
		"sign_ins_total", "Passwords that were right or wrong, or not compared after too many failures.", counter, "outcome", many(o.SignIns),
	}, {
		"throttled_total", "Sign-ins, registrations and other attempts that were refused, by whose budget was used up.", counter, "by", many(o.Throttled),
	}, {
		"hash_queue", "Passwords that are hashed or wait for it.", gauge, "purpose", many(o.Hashing),
	}, {
		"mails_total", "Mails that were sent; tries that failed, after which the mail waits; and mails given up after three days.",
		counter, "outcome", many(o.Mails),
	}}
}

func (o Options) ofStreams() []number {
	return []number{{
		"streams", "Open WebSockets and event streams.", gauge, "transport", many(o.Streams),
	}, {
		"stream_closes_total", "WebSockets and event streams that have ended, by the code of WebSocket; 1006 is a lost connection.",
		counter, "code", many(o.StreamCloses),
	}, {
		"subscriptions", "Open subscriptions.", gauge, "", one(func() float64 { return float64(o.Subscriptions()) }),
	}, {
		"pushes_total", "Answers that subscriptions have sent, by their field.", counter, "field", many(o.Pushes),
	}, {
		"feed_changes_total", "Rows of the change feed that this server has read.", counter, "", one(func() float64 {
			changes, _ := o.Feed()
			return float64(changes)
		}),
	}, {
		"feed_lag_seconds", "Age of the oldest change that was read last.", gauge, "", one(func() float64 {
			_, lag := o.Feed()
			return lag.Seconds()
		}),
	}, {
		"feed_resets_total", "Devices that had to load all their records again.", counter, "", one(func() float64 { return float64(o.FeedResets()) }),
	}}
}

func (o Options) ofMachine() []number {
	all := []number{{
		"log_dropped_total", "Log lines that were dropped because nothing read the log fast enough.",
		counter, "", one(func() float64 { return float64(o.LogDropped()) }),
	}}
	if o.LastBackup != nil {
		all = append(all, number{
			"backup_last_success_timestamp_seconds", "When caregraph backup ended without an error; 0 for never.",
			gauge, "", one(func() float64 {
				at, _ := timestamp(o.LastBackup())
				return at
			}),
		})
	}
	if o.Disk != nil {
		disk := func(value func(free, size int64) int64) func() map[string]float64 {
			return maybe(func() (float64, bool) {
				free, size, err := o.Disk()
				return float64(value(free, size)), err == nil
			})
		}
		all = append(all,
			number{"disk_free_bytes", "Free bytes of the disk with the database.", gauge, "", disk(func(free, _ int64) int64 { return free })},
			number{"disk_size_bytes", "Bytes of the disk with the database.", gauge, "", disk(func(_, size int64) int64 { return size })})
	}
	if o.ExecutableDeleted != nil {
		all = append(all, number{
			"postgres_executable_deleted", "1 if the executable of the private PostgreSQL was deleted or replaced since its start, else 0.",
			gauge, "", one(func() float64 { return truth(o.ExecutableDeleted()) }),
		})
	}
	if o.CertificateEnds != nil {
		all = append(all, number{
			"tls_not_after_timestamp_seconds", "When the certificate of the server ends.",
			gauge, "", maybe(func() (float64, bool) { return timestamp(o.CertificateEnds()) }),
		})
	}
	return all
}

// timestamp returns the seconds since 1970, and false for the zero time.
func timestamp(at time.Time) (seconds float64, known bool) {
	if at.IsZero() {
		return 0, false
	}
	return float64(at.UnixMilli()) / 1000, true
}
