package fill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// checkAccounts returns an error if the account of the token, which is the first that fill
// makes, is not the first account of the server. An ordinary account sees no account of
// others, so fill does not notice accounts that others made after its first run.
func (f *filler) checkAccounts(ctx context.Context, token string) error {
	first, err := f.client.do(ctx, token, operation{
		"nodes", `query Fill { reply: nodes(ids: ["usr_1"]) { ... on User { id key: username } } }`,
	}, nil)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(first.Nodes, func(account record) bool { return account.Key == rahul().Username }) {
		return fmt.Errorf("the server at %s has accounts of other people. fill adds made-up people with public passwords; "+
			"to add them all the same, use --force", f.url)
	}
	return nil
}

// UnmarshalJSON also accepts a list of records, which nodes answers.
func (r *reply) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '[' {
		return json.Unmarshal(text, &r.Nodes)
	}
	type plain reply
	return json.Unmarshal(text, (*plain)(r))
}
