package gqlhttp

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/caregraph/caregraph/internal/surrogates"
)

// halfCharacter is the error for text with one half of a surrogate pair. The decoders of
// JSON and GraphQL would store another character in its place.
func halfCharacter(where string) *requestError {
	return badRequest("%s has half a character: an escaped surrogate without the other one of its pair.", where)
}

// checkLiterals refuses a query with half a character in a string (GraphQL, 2.9.4). In
// block strings and comments a backslash begins no such escape.
func checkLiterals(query string) *requestError {
	if !surrogates.HasHalf(query) {
		return nil
	}
	characters, tokens := []rune(query), lexer.New(&ast.Source{Input: query})
	for {
		token, err := tokens.ReadToken()
		switch {
		case err != nil || token.Kind == lexer.EOF:
			return nil // the parser reports it
		case token.Kind == lexer.String && surrogates.HasHalf(string(characters[token.Pos.Start:token.Pos.End])):
			return halfCharacter("A string of `query`")
		}
	}
}
