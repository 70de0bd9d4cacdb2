package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// size is the number of records. A tenth of the mappings have ended.
type size struct {
	patients int
	// owners has the number of patients of each measured account: at most nine
	// divisors of a tenth of all patients.
	owners []int
	// deleted says that one patient in a hundred is deleted.
	deleted bool
}

// usualSize has 2,000 accounts, 2,000 doctors and 300,000 mappings.
var usualSize = size{patients: 100_000, owners: []int{fullPage}}

// dataset is a filled database with a server on it.
type dataset struct {
	size   size
	url    string
	server *process
	// owners have patients. carer is the account of doctor 1. clerk creates
	// patients, so that the lists of the others do not change.
	owners       []account
	carer, clerk account
	// members sign in and out. signUp creates them.
	members []account
}

type account struct {
	id       int64
	name     string
	token    string
	patients int
	// patientIDs are the account's patients.
	patientIDs []int64
}

// password is the password of all accounts that sign in.
const password = "bench 7 marigold lamp"

func email(name string) string { return name + "@example.com" }

const carersDoctor = 1

// newDataset migrates an empty database, registers the accounts over the API and
// fills in the rest.
func newDataset(ctx context.Context, tools toolbox, url string, s size) (w *dataset, err error) {
	w = &dataset{size: s, url: url}
	if err := tools.migrate(ctx, url); err != nil {
		return nil, err
	}
	if w.server, err = tools.serve(ctx, url); err != nil {
		return nil, err
	}
	if err := w.populate(ctx); err != nil {
		w.server.stop()
		return nil, err
	}
	return w, nil
}

func (w *dataset) populate(ctx context.Context) (err error) {
	client, err := dial(ctx, w.server.addr)
	if err != nil {
		return err
	}
	defer client.close()
	for i, patients := range w.size.owners {
		owner, err := client.register(fmt.Sprintf("bench_owner_%d", i), "PATIENT")
		if err != nil {
			return err
		}
		owner.patients = patients
		w.owners = append(w.owners, owner)
	}
	if w.carer, err = client.register("bench_carer", "DOCTOR"); err != nil {
		return err
	}
	if w.clerk, err = client.register("bench_clerk", "PATIENT"); err != nil {
		return err
	}
	db, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close(ctx)) }()
	if err := fill(ctx, db, w); err != nil {
		return err
	}
	for i := range w.owners {
		o := &w.owners[i]
		if o.patientIDs, err = patientsOf(ctx, db, o.id); err != nil {
			return err
		}
		if len(o.patientIDs) != o.patients {
			return fmt.Errorf("account %d has %d patients, not %d", o.id, len(o.patientIDs), o.patients)
		}
	}
	return nil
}

// calls are the requests of a workload on behalf of an owner; a connection
// sends one after the other, and starts again at the end.
func (w *dataset) calls(load workload, owner account, first int) []call {
	base := call{token: owner.token, owner: owner.id, doctor: carersDoctor, first: first}
	switch load.name {
	case "W1":
		var calls []call
		for _, id := range owner.patientIDs {
			c := base
			c.patient = id
			calls = append(calls, c)
		}
		return calls
	case "W4":
		var calls []call
		for i := range 1000 {
			c := base
			c.token, c.owner, c.name = w.clerk.token, w.clerk.id, fmt.Sprintf("Meera Krishnan %03d", i)
			calls = append(calls, c)
		}
		return calls
	case keyedName: // no key comes twice until tidy
		var calls []call
		for i := range 64_000 {
			c := base
			c.token, c.owner, c.name, c.key = w.clerk.token, w.clerk.id, fmt.Sprintf("Meera Krishnan %03d", i%1000), fmt.Sprintf("key-%d", i)
			calls = append(calls, c)
		}
		return calls
	case "W5":
		base.token, base.owner = w.carer.token, w.carer.id
	}
	return []call{base}
}

// signUp returns n accounts that sign in and out.
func (w *dataset) signUp(ctx context.Context, n int) ([]account, error) {
	client, err := dial(ctx, w.server.addr)
	if err != nil {
		return nil, err
	}
	defer client.close()
	for i := len(w.members); i < n; i++ {
		member, err := client.register(fmt.Sprintf("bench_member_%d", i), "PATIENT")
		if err != nil {
			return nil, err
		}
		w.members = append(w.members, member)
	}
	return w.members[:n], nil
}

// tidy removes the rows that a workload has written.
func (w *dataset) tidy(ctx context.Context) error {
	db, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close(ctx) }()
	for _, written := range []string{
		"DELETE FROM change_feed AS f USING patients AS p WHERE p.created_by = $1 AND f.patient = p.id",
		"DELETE FROM requests WHERE account = $1",
		"DELETE FROM patients WHERE created_by = $1",
	} {
		if _, err := db.Exec(ctx, written, w.clerk.id); err != nil {
			return fmt.Errorf("remove the written rows: %w", err)
		}
	}
	_, err = db.Exec(ctx, "VACUUM patients, change_feed, requests")
	return err
}

// register creates an account and signs it in.
func (c *conn) register(name, role string) (account, error) {
	const document = `mutation ($input: RegisterInput!) {
		register(input: $input) { user { id } tokens { access } userErrors { code } } }`
	var answer struct {
		Register struct {
			User   struct{ ID string }
			Tokens struct{ Access string }
		}
	}
	err := c.ask(document, map[string]any{"input": map[string]any{
		"username": name, "email": email(name), "role": role, "password": password,
	}}, &answer)
	if err != nil {
		return account{}, fmt.Errorf("register: %w", err)
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(answer.Register.User.ID, "usr_"), 10, 64)
	return account{id: id, name: name, token: answer.Register.Tokens.Access}, err
}
