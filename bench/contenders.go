package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
)

// contender is a server that is measured.
type contender struct {
	name string
	// process is the running server.
	process *process
	// request returns the HTTP request for a call.
	request func(workload, call) ([]byte, error)
}

func (c contender) stop() { c.process.stop() }

// script returns the HTTP requests for the calls of a workload.
func (c contender) script(load workload, calls []call) (script, error) {
	all := make([][]byte, len(calls))
	var err error
	for i := range calls {
		if all[i], err = c.request(load, calls[i]); err != nil {
			return script{}, fmt.Errorf("%s for %s: %w", load.name, c.name, err)
		}
	}
	return script{requests: all}, nil
}

const nameOfOurs = "caregraph"

// caregraph is a CareGraph server, of this tree or of an older build.
func caregraph(name string, p *process) contender {
	return contender{name: name, process: p, request: func(load workload, c call) ([]byte, error) {
		var headers []string
		if c.key != "" {
			headers = []string{"Idempotency-Key: " + c.key}
		}
		return graphRequest(c.token, load.document, load.variables(c), headers...)
	}}
}

func (t toolbox) floorContender(ctx context.Context, o floorOptions, url string) (contender, error) {
	p, err := t.floor(ctx, o, url)
	return contender{name: o.name(), process: p, request: floorRequest}, err
}

func floorRequest(load workload, c call) ([]byte, error) {
	if !load.writes {
		return httpRequest("GET", load.floor(c), nil), nil
	}
	body, err := json.Marshal(load.variables(c)["input"])
	return httpRequest("POST", load.floor(c), body), err
}

// answer sends one call and returns the body of the answer. It refuses a body
// with errors.
func (c contender) answer(ctx context.Context, load workload, call call) ([]byte, error) {
	request, err := c.request(load, call)
	if err != nil {
		return nil, err
	}
	link, err := dial(ctx, c.process.addr)
	if err != nil {
		return nil, err
	}
	defer link.close()
	body, err := link.do(request)
	if err == nil {
		err = refuseErrors(body)
	}
	if err != nil {
		return nil, fmt.Errorf("%s by %s: %w", load.name, c.name, err)
	}
	return body, nil
}

// ask sends one call and returns the data of the answer.
func (c contender) ask(ctx context.Context, load workload, call call) (any, error) {
	body, err := c.answer(ctx, load, call)
	if err != nil {
		return nil, err
	}
	var answer struct{ Data any }
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s by %s: %w", load.name, c.name, err)
	}
	return answer.Data, nil
}

// sameAnswer makes sure that the floor does the same work as our server: their
// answers to every kind of call are equal.
func sameAnswer(ctx context.Context, floor, us contender, load workload, calls []call) error {
	for _, c := range []call{calls[0], calls[len(calls)-1]} {
		theirs, err := floor.ask(ctx, load, c)
		if err != nil {
			return err
		}
		own, err := us.ask(ctx, load, c)
		if err != nil {
			return err
		}
		if load.writes {
			blankIDs(theirs)
			blankIDs(own)
		}
		if !reflect.DeepEqual(theirs, own) {
			a, _ := json.Marshal(theirs) // both came from JSON
			b, _ := json.Marshal(own)
			return difference(load, floor.name, us.name, a, b)
		}
	}
	return nil
}

// createdID is the id of a row that a workload has made.
var createdID = regexp.MustCompile(`"id":"[a-z]+_[0-9]+"`)

// sameBytes makes sure that all builds answer every call of a workload with
// the same bytes, except for the ids of the rows that it makes.
func sameBytes(ctx context.Context, builds []contender, load workload, calls []call) error {
	if load.writes {
		calls = calls[:1]
	}
	for _, c := range calls {
		var first []byte
		for i, build := range builds {
			body, err := build.answer(ctx, load, c)
			if err != nil {
				return err
			}
			if load.writes {
				body = createdID.ReplaceAll(body, []byte(`"id":""`))
			}
			if i == 0 {
				first = body
			}
			if !bytes.Equal(first, body) {
				return difference(load, builds[0].name, build.name, first, body)
			}
		}
	}
	return nil
}

// sameAmount makes sure that a peer returns as many values as our server. Their
// names and forms may differ.
func sameAmount(ctx context.Context, peer, us contender, load workload, c call) error {
	theirs, err := peer.ask(ctx, load, c)
	if err != nil {
		return err
	}
	own, err := us.ask(ctx, load, c)
	if err != nil {
		return err
	}
	if a, b := leaves(theirs), leaves(own); a != b {
		return fmt.Errorf("%s: %s returns %d values, our server %d", load.name, peer.name, a, b)
	}
	return nil
}

// leaves counts the values in an answer.
func leaves(value any) (n int) {
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			n += leaves(member)
		}
	case []any:
		for _, element := range v {
			n += leaves(element)
		}
	default:
		n = 1
	}
	return n
}

// blankIDs empties the ids, which differ for each new row.
func blankIDs(value any) {
	switch v := value.(type) {
	case map[string]any:
		if _, found := v["id"]; found {
			v["id"] = ""
		}
		for _, member := range v {
			blankIDs(member)
		}
	case []any:
		for _, element := range v {
			blankIDs(element)
		}
	}
}

// difference is the error of two contenders whose answers differ.
func difference(load workload, one, other string, a, b []byte) error {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	from := max(at-60, 0)
	return fmt.Errorf("%s: %s and %s answer differently, from byte %d on:\n%s: %.160s\n%s: %.160s",
		load.name, one, other, at, one, a[from:], other, b[from:])
}
