package main

import (
	"context"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/documents"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/web"
)

// newTransport returns GraphQL over HTTP, and the registered documents that it finds.
func newTransport(s settings.Settings) (gqlhttp.Transport, []documents.Document, error) {
	registered, err := documents.Read(s.Documents...)
	if err != nil {
		return gqlhttp.Transport{}, nil, err
	}
	for _, text := range web.Documents() {
		registered = append(registered, documents.Document{ID: documents.Hash(text), Text: text, Source: "the page of mails"})
	}
	registry, err := documents.New(registered, s.DocumentsOnly)
	return gqlhttp.Transport{
		OnSent: graph.Reuse, Documents: registry,
		Account: func(ctx context.Context) int64 { return auth.CallerFrom(ctx).Account() },
	}, registered, err
}
