package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// other is another request of clients, without a goal and without a floor. The
// benchmark measures our server alone, and only if --only names the request.
type other struct {
	name, title string
	// script makes a new script for each measurement.
	script func(context.Context, *dataset) (script, error)
}

// others lists the requests that are no workloads.
func others() []other {
	return []other{
		{"login", "sign in (REST)", logins(login)},
		{"login-graphql", "sign in (GraphQL)", logins(func(a account) ([]byte, error) {
			return graphRequest("", `mutation ($input: LoginInput!) {
				login(input: $input) { user { id email role } tokens { refresh access } userErrors { code } } }`,
				map[string]any{"input": map[string]any{"email": email(a.name), "password": password}})
		})},
		{"refresh", "exchange a refresh token (REST)", refreshes},
		{"rest-list", "50 patients (REST)", func(_ context.Context, w *dataset) (script, error) {
			return always(httpRequest("GET", "/api/patients/", nil, "Authorization: Bearer "+w.owners[0].token)), nil
		}},
		{"total", "totalCount of 50 patients", func(_ context.Context, w *dataset) (script, error) {
			request, err := graphRequest(w.owners[0].token, `{ patients { totalCount } }`, nil)
			return always(request), err
		}},
		{"doctors-owner", "20 doctors, with patients, as an owner", func(_ context.Context, w *dataset) (script, error) {
			request, err := graphRequest(w.owners[0].token, doctorsWithPatients, nil)
			return always(request), err
		}},
		{"doctors-doctor", "20 doctors, with patients, as a doctor", func(_ context.Context, w *dataset) (script, error) {
			request, err := graphRequest(w.carer.token, doctorsWithPatients, nil)
			return always(request), err
		}},
		{"W1-owner", "W1 as the owner", asOwner("W1")},
		{"W1-team", "W1 as a member of the owner's team", asMember("W1")},
		{"W2-owner", "W2 as the owner", asOwner("W2")},
		{"W2-team", "W2 as a member of the owner's team", asMember("W2")},
	}
}

// asOwner is a workload, to compare with asMember.
func asOwner(name string) func(context.Context, *dataset) (script, error) {
	return func(_ context.Context, w *dataset) (script, error) { return w.asked(name, w.owners[0].token) }
}

// asMember is a workload of the first owner on behalf of a member of the owner's team.
func asMember(name string) func(context.Context, *dataset) (script, error) {
	return func(ctx context.Context, w *dataset) (script, error) {
		members, err := w.signUp(ctx, 1)
		if err != nil {
			return script{}, err
		}
		db, err := pgx.Connect(ctx, w.url)
		if err != nil {
			return script{}, err
		}
		defer func() { _ = db.Close(ctx) }()
		_, err = db.Exec(ctx, `INSERT INTO grants (kind, level, granter_id, account_id, accepted_at)
			VALUES ('TEAM', 'FULL', $1, $2, now()) ON CONFLICT DO NOTHING`, w.owners[0].id, members[0].id)
		if err != nil {
			return script{}, fmt.Errorf("join the team: %w", err)
		}
		return w.asked(name, members[0].token)
	}
}

// asked returns the requests of a workload of the first owner with another token.
func (w *dataset) asked(name, token string) (s script, err error) {
	all := workloads()
	load := all[slices.IndexFunc(all, func(l workload) bool { return l.name == name })]
	for _, c := range w.calls(load, w.owners[0], usualPage) {
		request, err := graphRequest(token, load.document, load.variables(c))
		if err != nil {
			return s, err
		}
		s.requests = append(s.requests, request)
	}
	return s, nil
}

const doctorsWithPatients = `{ doctors(first: 20) { nodes { name patients(first: 3) { totalCount nodes { name } } } } }`

func login(a account) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"email": email(a.name), "password": password})
	return httpRequest("POST", "/api/auth/login/", body), err
}

func always(request []byte) script { return script{requests: [][]byte{request}} }

// logins uses one account for each connection: the server counts attempts to
// sign in to an account until one succeeds, and limits them.
func logins(request func(account) ([]byte, error)) func(context.Context, *dataset) (script, error) {
	return func(ctx context.Context, w *dataset) (s script, err error) {
		members, err := w.signUp(ctx, connections)
		if err != nil {
			return s, err
		}
		s.requests = make([][]byte, len(members))
		for i, member := range members {
			if s.requests[i], err = request(member); err != nil {
				return s, err
			}
		}
		return s, nil
	}
}

// refreshes starts a session for each connection. A refresh token is valid for
// one exchange, so each request sends the token of the previous answer.
func refreshes(ctx context.Context, w *dataset) (script, error) {
	s, err := logins(login)(ctx, w)
	if err != nil {
		return s, err
	}
	link, err := dial(ctx, w.server.addr)
	if err != nil {
		return s, err
	}
	defer link.close()
	for i, request := range s.requests {
		answer, err := link.do(request)
		if err != nil {
			return s, fmt.Errorf("begin a session: %w", err)
		}
		if s.requests[i], err = refresh(answer); err != nil {
			return s, err
		}
	}
	s.follow = refresh
	return s, nil
}

// refresh returns the request that exchanges the refresh token of an answer.
func refresh(answer []byte) ([]byte, error) {
	var tokens struct {
		Refresh string `json:"refresh"`
		Tokens  struct{ Refresh string }
	}
	if err := json.Unmarshal(answer, &tokens); err != nil {
		return nil, err
	}
	token := tokens.Refresh + tokens.Tokens.Refresh // one of them is empty
	if token == "" {
		return nil, errors.New("the answer has no refresh token")
	}
	body, err := json.Marshal(map[string]string{"refresh": token})
	return httpRequest("POST", "/api/auth/token/refresh/", body), err
}

// asks reports whether --only names a request.
func (p plan) asks(o other) bool { return slices.Contains(p.only, o.name) }

// others measures the requests that --only names, in turns: what else the machine does
// then changes all of them.
func (b *benchmark) others(ctx context.Context, w *dataset) (rows []row, err error) {
	asked := slices.DeleteFunc(others(), func(o other) bool { return !b.plan.asks(o) })
	for _, o := range asked {
		r, err := b.introduce(ctx, w, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.name, err)
		}
		rows = append(rows, r)
	}
	for repeat := range b.plan.repeats {
		for i, o := range asked {
			f, err := b.other(ctx, w, o, repeat)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.name, err)
			}
			rows[i].Results[0].Runs = append(rows[i].Results[0].Runs, f)
		}
	}
	for _, r := range rows {
		r.Results[0].summarize()
	}
	return rows, nil
}

// introduce returns the row of a request, without measurements.
func (b *benchmark) introduce(ctx context.Context, w *dataset, o other) (row, error) {
	r := row{Workload: o.name, Title: o.title, Results: []result{{Contender: nameOfOurs}}}
	s, err := o.script(ctx, w)
	if err != nil {
		return r, err
	}
	seen, err := b.traffic(ctx, w.url, s)
	r.Statements, r.RoundTrips = seen.statements, seen.roundTrips
	return r, err
}

func (b *benchmark) other(ctx context.Context, w *dataset, o other, repeat int) (figures, error) {
	s, err := o.script(ctx, w)
	if err != nil {
		return figures{}, err
	}
	f, err := measure(ctx, w.server, b.cluster.pid, s, b.plan.window(repeat))
	if err == nil {
		b.plan.progressed(o.name, nameOfOurs, repeat, f)
	}
	return f, err
}

// othersTable shows the cost of the other requests.
func othersTable(rows []row) string {
	lines := [][]string{{
		"", "request", "ms (server + PostgreSQL)", "requests/s", "p50 ms", "p99 ms", "statements", "round trips", "RSS MB",
	}}
	for _, r := range rows {
		own := r.Results[0]
		lines = append(lines, []string{
			r.Workload, r.Title, sum(own), decimals(own.Median.PerSecond, 0),
			decimals(own.Median.P50, 2), decimals(own.Median.P99, 2),
			number3(r.Statements), number3(r.RoundTrips), decimals(own.Median.MostResident, 0),
		})
	}
	return markdown(lines)
}
