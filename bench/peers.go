package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// peersDir is an npm project with other servers that do the same work.
const peersDir = "bench/peers"

// peerOperation is the request to a peer for a workload.
type peerOperation struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables"`
}

// startPeers installs the packages of the peers if needed, and starts them.
func startPeers(ctx context.Context, t toolbox, url string) (peers []contender, err error) {
	defer func() {
		if err != nil {
			for _, p := range peers {
				p.stop()
			}
		}
	}()
	dir, err := filepath.Abs(peersDir)
	if err != nil {
		return nil, err
	}
	if err := install(ctx, dir); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "documents.json")) //nolint:gosec // G304: a file of this repository
	if err != nil {
		return nil, err
	}
	var documents map[string]map[string]peerOperation
	if err := json.Unmarshal(text, &documents); err != nil {
		return nil, fmt.Errorf("read documents.json: %w", err)
	}
	for _, name := range []string{"postgraphile", "mercurius"} {
		p, err := command{
			name: name, dir: dir, log: t.log, env: []string{"DATABASE_URL=" + url, "NODE_ENV=production"},
			args: func(string) []string { return []string{"node", name + ".mjs"} },
		}.start(ctx)
		if err != nil {
			return peers, err
		}
		peers = append(peers, contender{name: name, process: p, request: peerRequest(documents[name])})
	}
	return peers, nil
}

func install(ctx context.Context, dir string) error {
	_, err := os.Stat(filepath.Join(dir, "node_modules"))
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", peersDir, err, out)
	}
	return nil
}

func peerRequest(operations map[string]peerOperation) func(workload, call) ([]byte, error) {
	return func(load workload, c call) ([]byte, error) {
		o, found := operations[load.name]
		if !found {
			return nil, errors.New("documents.json has no document for it")
		}
		variables, _ := filledIn(o.Variables, c).(map[string]any)
		return graphRequest("", o.Query, variables)
	}
}

// filledIn replaces placeholders by the values of a call.
func filledIn(value any, c call) any {
	switch v := value.(type) {
	case string:
		words := map[string]any{"$PATIENT": c.patient, "$DOCTOR": c.doctor, "$OWNER": c.owner, "$NAME": c.name}
		if meant, found := words[v]; found {
			return meant
		}
	case map[string]any:
		filled := map[string]any{}
		for key, member := range v {
			filled[key] = filledIn(member, c)
		}
		return filled
	case []any:
		filled := make([]any, len(v))
		for i, element := range v {
			filled[i] = filledIn(element, c)
		}
		return filled
	}
	return value
}
