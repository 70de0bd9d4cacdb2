package fill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// firstAccounts is how many ids checkAccounts looks at: the most of one query.
const firstAccounts = 100

// checkAccounts returns an error if one of the first accounts of the server is
// not an account of fill. No query lists accounts, but every signed-in account
// may see the names of the others by their ids, which count from 1.
func (f *filler) checkAccounts(ctx context.Context, token string) error {
	ids := make([]string, firstAccounts)
	for i := range ids {
		ids[i] = fmt.Sprintf("usr_%d", i+1)
	}
	found, err := f.client.do(ctx, token, operation{
		"nodes", `query Fill($ids: [ID!]!) { reply: nodes(ids: $ids) { ... on User { id key: username } } }`,
	}, map[string]any{"ids": ids})
	if err != nil {
		return err
	}
	own := []string{"", rahul().Username} // "": no account has the id
	for region := range f.data.Regions {
		own = append(own, frontDesk(region).Username)
	}
	if slices.ContainsFunc(found.Nodes, func(account record) bool { return !slices.Contains(own, account.Key) }) {
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
