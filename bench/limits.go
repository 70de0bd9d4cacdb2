package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// The longest that one warm request of one client may take on a large database.
const (
	pageLimit  = 500 * time.Millisecond
	countLimit = 1500 * time.Millisecond
)

// limitRow is a request on the large database.
type limitRow struct {
	Query   string        `json:"query"`
	Limit   time.Duration `json:"limitNanoseconds"`
	Took    time.Duration `json:"nanoseconds"` // median
	Failure string        `json:"failure,omitempty"`
}

// largeSize has 100,000 doctors and 15,000,000 mappings; the measured owner has a
// tenth of the patients.
func largeSize(patients int) size {
	return size{patients: patients, owners: []int{patients / 10}, deleted: true}
}

// limitedQuery is a field of Query that must answer within a limit.
type limitedQuery struct {
	admin bool // the caller: an administrator, or the owner of a tenth of all patients
	field string
	limit time.Duration
}

func (q limitedQuery) name() string {
	if q.admin {
		return "administrator: " + q.field
	}
	return "large owner: " + q.field
}

// limitedQueries are the lists and searches, each with its page and its count.
func limitedQueries() (all []limitedQuery) {
	add := func(admin bool, list string, args ...string) {
		for _, a := range args {
			first, brackets := "first: 20", ""
			if a != "" {
				first, brackets = first+", "+a, "("+a+")"
			}
			all = append(all,
				limitedQuery{admin, list + "(" + first + ") { edges { node { id } } }", pageLimit},
				limitedQuery{admin, list + brackets + " { totalCount }", countLimit})
		}
	}
	patients := []string{
		"", "orderBy: {field: NAME, direction: ASC}", "filter: {deleted: ONLY}",
		`search: "s"`, `search: "sh"`, `search: "zz"`, `search: "sharma"`, `search: "98765"`,
	}
	mappings := []string{"", "filter: {isActive: false}", "filter: {isActive: null}"}
	for _, admin := range []bool{false, true} {
		add(admin, "patients", patients...)
		add(admin, "mappings", mappings...)
		add(admin, "doctors", "", `search: "s"`, `search: "sharma"`)
		all = append(all, limitedQuery{admin, "specializations { name doctorCount }", pageLimit})
	}
	return all
}

// limits measures the requests on a large database, one after the other.
func (b *benchmark) limits(ctx context.Context, patients int) (rows []limitRow, err error) {
	err = b.onStage(ctx, "bench_large", largeSize(patients), func(s *stage) error {
		client, err := dial(ctx, s.dataset.server.addr)
		if err != nil {
			return err
		}
		defer client.close()
		boss, err := client.register("bench_boss", "PATIENT")
		if err != nil {
			return err
		}
		if err := s.dataset.promote(ctx, boss); err != nil {
			return err
		}
		for _, q := range limitedQueries() {
			caller := s.dataset.owners[0]
			if q.admin {
				caller = boss
			}
			row, err := b.limit(ctx, s.dataset.server.addr, caller, q)
			if err != nil {
				return err
			}
			b.say(fmt.Sprintf("%s: %s", row.Query, row.Took.Round(time.Millisecond)))
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// promote makes an account an administrator.
func (w *dataset) promote(ctx context.Context, a account) error {
	db, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, "UPDATE users SET role = 'ADMIN' WHERE id = $1", a.id)
	return errors.Join(err, db.Close(ctx))
}

// limit measures one request, after one that warms the caches. It uses a connection
// of its own, because the server may close it after a failure.
func (b *benchmark) limit(ctx context.Context, addr string, caller account, q limitedQuery) (limitRow, error) {
	row := limitRow{Query: q.name(), Limit: q.limit}
	request, err := graphRequest(caller.token, "{ "+q.field+" }", nil)
	if err != nil {
		return row, err
	}
	client, err := dial(ctx, addr)
	if err != nil {
		return row, err
	}
	defer client.close()
	var took []time.Duration
	for range 1 + b.plan.repeats {
		began := time.Now()
		body, err := client.do(request)
		if err == nil {
			err = refuseErrors(body)
		}
		if err != nil {
			row.Failure = err.Error()
			return row, ctx.Err()
		}
		took = append(took, time.Since(began))
	}
	took = took[1:]
	slices.Sort(took)
	row.Took = took[len(took)/2]
	return row, nil
}

// overLimits returns an error for each request that failed or took too long.
func overLimits(rows []limitRow) error {
	var all []error
	for _, r := range rows {
		switch {
		case r.Failure != "":
			all = append(all, fmt.Errorf("%s: %s", r.Query, r.Failure))
		case r.Took > r.Limit:
			all = append(all, fmt.Errorf("%s took %s, the limit is %s", r.Query, r.Took.Round(time.Millisecond), r.Limit))
		}
	}
	return errors.Join(all...)
}

func limitsTable(rows []limitRow) string {
	lines := [][]string{{"request on a large database", "ms", "limit ms"}}
	for _, r := range rows {
		took := strconv.FormatInt(r.Took.Milliseconds(), 10)
		if r.Failure != "" {
			took = "failed"
		}
		lines = append(lines, []string{r.Query, took, strconv.FormatInt(r.Limit.Milliseconds(), 10)})
	}
	return markdown(lines)
}
