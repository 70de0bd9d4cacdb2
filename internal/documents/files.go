package documents

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Read returns the documents of files, as graphql-codegen (client preset), Relay's
// compiler (persistConfig) and Apollo's generate-persisted-query-manifest write them. The
// error names every file that cannot be read.
func Read(files ...string) ([]Document, error) {
	var all []Document
	var broken []error
	for _, file := range files {
		found, err := read(file)
		if err != nil {
			broken = append(broken, err)
		}
		all = append(all, found...)
	}
	return all, errors.Join(broken...)
}

func read(file string) ([]Document, error) {
	content, err := os.ReadFile(file) //nolint:gosec // G304: the operator names it
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	found, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range found {
		found[i].Source = file
	}
	return found, nil
}

// manifest is the format of Apollo.
type manifest struct {
	Format     string
	Version    int
	Operations []struct{ ID, Body string }
}

// parse tells the formats apart by their shape: all values of the other one are texts.
func parse(content []byte) (found []Document, err error) {
	var texts map[string]string
	if json.Unmarshal(content, &texts) == nil && texts != nil {
		for _, id := range slices.Sorted(maps.Keys(texts)) {
			found = append(found, Document{ID: id, Text: texts[id]})
		}
		return found, nil
	}
	var m manifest
	if json.Unmarshal(content, &m) != nil || m.Format != "apollo-persisted-query-manifest" || m.Version != 1 {
		return nil, errors.New("this is neither an object with a document for each id, " +
			"nor an apollo-persisted-query-manifest of version 1")
	}
	for _, operation := range m.Operations {
		found = append(found, Document{ID: operation.ID, Text: operation.Body})
	}
	return found, nil
}
