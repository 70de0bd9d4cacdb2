package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// fleet are the servers of one database. One of them can be replaced.
type fleet struct {
	mu      sync.Mutex
	servers []*program
}

// ask sends an operation to a random server.
func (f *fleet) ask(r *rand.Rand, token, query string, variables map[string]any) (map[string]any, error) {
	f.mu.Lock()
	server := f.servers[r.IntN(len(f.servers))]
	f.mu.Unlock()
	return server.ask(token, query, variables)
}

func (f *fleet) replace(i int, with *program) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.servers[i] = with
}

// phone is a client that keeps records, as docs/clients.md describes it. Its database is
// what survives a crash.
type phone struct {
	who, token string
	first      int
	fleet      *fleet
	r          *rand.Rand
	faults     bool
	db         phoneDB
	resets     int
}

// phoneDB has the JSON of the records by their ids, and the cursor that they belong to.
type phoneDB struct {
	cursor  any
	records map[string]string
}

const followDocument = `query ($after: String, $first: Int) { changes(after: $after, first: $first) { cursor reset hasMore gone
	nodes { __typename id
		... on Patient { name address version viewer { relations } mappings(first: 50, isActive: null) { nodes { id isActive endedAt doctor { id } } } }
		... on Doctor { name isVerified version } } } }`

// sync asks until there is no more. With faults, a quarter of the answers are lost, and a
// fifth of the others are applied by an app that crashes before it has stored them.
func (p *phone) sync() error {
	for {
		data, err := p.fleet.ask(p.r, p.token, followDocument, map[string]any{"after": p.db.cursor, "first": p.first})
		switch {
		case err != nil && strings.Contains(err.Error(), "INVALID_CURSOR"):
			return fmt.Errorf("%s: %w", p.who, err)
		case err != nil, p.faults && p.r.IntN(4) == 0:
			if !p.faults {
				return fmt.Errorf("%s: %w", p.who, err)
			}
			return nil // retries later
		}
		set := data["changes"].(map[string]any)
		fresh := phoneDB{set["cursor"], maps.Clone(p.db.records)}
		if set["reset"] == true {
			clear(fresh.records)
			p.resets++
		}
		for _, node := range set["nodes"].([]any) {
			text, err := json.Marshal(node)
			if err != nil {
				return err
			}
			fresh.records[node.(map[string]any)["id"].(string)] = string(text)
		}
		for _, id := range set["gone"].([]any) {
			delete(fresh.records, id.(string))
		}
		if p.faults && p.r.IntN(5) == 0 {
			return nil // the app has crashed, and the transaction with it
		}
		if p.db = fresh; set["hasMore"] != true {
			return nil
		}
	}
}

// practice are the accounts and records that writers change at random.
type practice struct {
	fleet  *fleet
	owners []string // tokens
	admin  string

	mu       sync.Mutex
	patients map[string]string // tokens of the owners
	entries  []string
	mappings map[string]string
}

const changedRecord = ` userErrors { code } }`

// write makes one random change. A refused one is none.
func (c *practice) write(r *rand.Rand) {
	c.mu.Lock()
	patients, mappings := slices.Sorted(maps.Keys(c.patients)), slices.Sorted(maps.Keys(c.mappings))
	c.mu.Unlock()
	patient, entry := patients[r.IntN(len(patients))], c.entries[r.IntN(len(c.entries))]
	c.mu.Lock()
	owner := c.patients[patient]
	c.mu.Unlock()
	values := map[string]any{"patient": patient, "entry": entry, "text": fmt.Sprint("Street ", r.IntN(1_000_000))}
	switch r.IntN(10) {
	case 0:
		c.create(r, c.owners[r.IntN(len(c.owners))])
	case 1:
		_, _ = c.fleet.ask(r, owner, `mutation ($patient: ID!) { deletePatient(id: $patient) {`+changedRecord+` }`, pick(values, "patient"))
	case 2, 3:
		_, _ = c.fleet.ask(r, owner, `mutation ($patient: ID!) { restorePatient(id: $patient) {`+changedRecord+` }`, pick(values, "patient"))
	case 4, 5:
		data, err := c.fleet.ask(r, owner, `mutation ($patient: ID!, $entry: ID!) { assignDoctor(input: {patientId: $patient, doctorId: $entry}) { mapping { id }`+
			changedRecord+` }`, pick(values, "patient", "entry"))
		if mapping, ok := recordID(data, err, "assignDoctor", "mapping"); ok {
			c.mu.Lock()
			c.mappings[mapping] = owner
			c.mu.Unlock()
		}
	case 6:
		if len(mappings) > 0 {
			mapping := mappings[r.IntN(len(mappings))]
			c.mu.Lock()
			owner := c.mappings[mapping]
			c.mu.Unlock()
			_, _ = c.fleet.ask(r, owner, `mutation ($id: ID!) { removeMapping(id: $id) {`+changedRecord+` }`, map[string]any{"id": mapping})
		}
	case 7:
		c.verify(r, entry, r.IntN(3) > 0)
	default:
		_, _ = c.fleet.ask(r, owner, `mutation ($patient: ID!, $text: String) { updatePatient(id: $patient, input: {address: $text}) {`+changedRecord+` }`,
			pick(values, "patient", "text"))
	}
}

func pick(values map[string]any, names ...string) map[string]any {
	picked := map[string]any{}
	for _, name := range names {
		picked[name] = values[name]
	}
	return picked
}

// recordID returns the id of the record in a payload, false for a refusal.
func recordID(data map[string]any, err error, field, record string) (id string, ok bool) {
	if err != nil {
		return "", false
	}
	payload, _ := data[field].(map[string]any)
	found, _ := payload[record].(map[string]any)
	id, ok = found["id"].(string)
	return id, ok
}

func (c *practice) create(r *rand.Rand, owner string) {
	data, err := c.fleet.ask(r, owner, createDocument, map[string]any{"name": fmt.Sprint("Patient ", r.IntN(1_000_000))})
	if id, ok := recordID(data, err, "createPatient", "patient"); ok {
		c.mu.Lock()
		c.patients[id] = owner
		c.mu.Unlock()
	}
}

func (c *practice) verify(r *rand.Rand, entry string, is bool) {
	data, err := c.fleet.ask(r, c.admin, `query ($id: ID!) { doctor(id: $id) { version } }`, map[string]any{"id": entry})
	if doctor, ok := data["doctor"].(map[string]any); err == nil && ok {
		_, _ = c.fleet.ask(r, c.admin, `mutation ($id: ID!, $is: Boolean!, $version: Int!) {
			verifyDoctor(id: $id, input: {isVerified: $is}, expectedVersion: $version) {`+changedRecord+` }`,
			map[string]any{"id": entry, "is": is, "version": doctor["version"]})
	}
}

// TestSync_PhonesConverge: while clients write through two servers, of which one is
// killed, phones lose answers and crash. At the end each holds what a new phone gets.
func TestSync_PhonesConverge(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys.json")
	one := start(t, dataDir(t), "--keys", keys)
	flags := []string{"--keys", keys, "--database-url", one.databaseURL()}
	two := start(t, dataDir(t), flags...)
	all := &fleet{servers: []*program{one, two}}
	c := &practice{fleet: all, patients: map[string]string{}, mappings: map[string]string{}}
	tokens := map[string]string{}
	for _, owner := range []string{"asha", "rahul"} {
		tokens[owner] = one.register(owner)
		c.owners = append(c.owners, tokens[owner])
	}
	c.admin = one.admin("boss")
	tokens["boss"], tokens["stranger"] = c.admin, one.register("stranger")
	seed := rand.New(rand.NewPCG(7, 7))
	for _, doctor := range []string{"priya", "neha"} {
		tokens[doctor] = one.registerDoctor(doctor)
		c.entries = append(c.entries, one.ownEntry(tokens[doctor], doctor))
	}
	c.verify(seed, c.entries[0], true)
	for _, owner := range c.owners {
		for range 8 {
			c.create(seed, owner)
		}
	}
	tokens["nurse"] = one.joinTeam(tokens["rahul"], "nurse")

	var phones []*phone
	for who, token := range tokens {
		for _, first := range []int{1, 4} {
			phones = append(phones, &phone{
				who: fmt.Sprintf("%s, %d at a time", who, first), token: token, first: first, fleet: all, faults: true,
				r: rand.New(rand.NewPCG(uint64(first), uint64(len(phones)))), db: phoneDB{records: map[string]string{}},
			})
		}
	}
	var writers, readers sync.WaitGroup
	var over atomic.Bool
	for n := range 4 {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for range 150 {
				c.write(r)
			}
		})
	}
	for _, p := range phones {
		readers.Go(func() {
			for !over.Load() {
				if err := p.sync(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	two.kill()
	all.replace(1, start(t, dataDir(t), flags...))
	writers.Wait()
	over.Store(true)
	readers.Wait()

	entriesOnly := map[string]bool{"stranger": true}
	for n, doctor := range []string{"priya", "neha"} { // a doctor has patients while the entry is verified
		data := one.must(c.admin, `query ($id: ID!) { doctor(id: $id) { isVerified } }`, map[string]any{"id": c.entries[n]})
		entriesOnly[doctor] = at(t, data, "doctor", "isVerified") == false
	}
	resets := 0
	for _, p := range phones {
		fresh := &phone{who: p.who, token: p.token, first: 100, fleet: all, r: p.r, db: phoneDB{records: map[string]string{}}}
		p.faults = false
		for _, one := range []*phone{p, fresh} {
			if err := one.sync(); err != nil {
				t.Fatal(err)
			}
		}
		resets += p.resets
		if differing := differing(p.db.records, fresh.db.records); len(differing) > 0 {
			t.Errorf("%s: %d records differ:\n%s", p.who, len(differing), strings.Join(differing, "\n"))
		}
		if who, _, _ := strings.Cut(p.who, ","); entriesOnly[who] != (len(fresh.db.records) == len(c.entries)) {
			t.Errorf("%s is given %v", p.who, fresh.db.records)
		}
	}
	t.Logf("%d phones, %d resets, %d patients, %d mappings", len(phones), resets, len(c.patients), len(c.mappings))
}

// differing returns what one device holds and another does not.
func differing(held, given map[string]string) (all []string) {
	for id, text := range held {
		if given[id] != text {
			all = append(all, "holds "+text+"\nwants "+given[id])
		}
	}
	for id, text := range given {
		if held[id] == "" {
			all = append(all, "lacks "+text)
		}
	}
	return all
}

func (p *program) registerDoctor(name string) (token string) {
	p.t.Helper()
	data := p.must("", strings.Replace(registerDocument, "role: PATIENT", "role: DOCTOR", 1), map[string]any{"name": name, "email": name + "@clinic.example"})
	return at(p.t, data, "register", "tokens", "access").(string)
}

func (p *program) ownEntry(token, name string) string {
	p.t.Helper()
	data := p.must(token, `mutation ($name: String!, $license: String!) { createDoctor(input: {name: $name, email: "desk@clinic.example", phone: "7654321098",
		specialization: "Cardiology", licenseNumber: $license, experienceYears: 8, address: "New Delhi", consultationFee: "1500", availability: "Mon-Fri",
		isMe: true}) { doctor { id } userErrors { message } } }`, map[string]any{"name": "Dr. " + name, "license": "KMC-" + name})
	return at(p.t, data, "createDoctor", "doctor", "id").(string)
}

// joinTeam registers an account with a place in the owner's team.
func (p *program) joinTeam(owner, name string) (token string) {
	p.t.Helper()
	token = p.register(name)
	db, err := pgx.Connect(p.t.Context(), p.databaseURL())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	if _, err := db.Exec(p.t.Context(), "UPDATE users SET is_confirmed = true"); err != nil {
		p.t.Fatal(err)
	}
	data := p.must(owner, `mutation ($name: String!) { addTeamMember(input: {username: $name, level: FULL}) { grant { id } userErrors { code } } }`, map[string]any{"name": name})
	p.must(token, `mutation ($id: ID!) { acceptGrant(id: $id) { grant { id } userErrors { code } } }`, map[string]any{"id": at(p.t, data, "addTeamMember", "grant", "id")})
	return token
}
