package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// listedAccount is an account in the output, with the names of the schema.
type listedAccount struct {
	ID          string             `json:"id"`
	Username    string             `json:"username"`
	Email       model.EmailAddress `json:"email"`
	Phone       *model.PhoneNumber `json:"phone"`
	Role        model.Role         `json:"role"`
	IsActive    bool               `json:"isActive"`
	IsConfirmed bool               `json:"isConfirmed"`
	HasTotp     bool               `json:"hasTotp"`
	CreatedAt   time.Time          `json:"createdAt"`
}

func listed(u *model.User) listedAccount {
	return listedAccount{
		u.NodeID().String(), u.Username, u.Email, u.Phone, u.Role, u.IsActive, u.IsConfirmed, u.HasTotp, u.CreatedAt.UTC(),
	}
}

func listAccounts() Command {
	var search *string
	var filter model.AccountFilter
	var inactive, asJSON bool
	return Command{
		name: "accounts list", summary: "list accounts by username, as a table or as JSON",
		options: []settings.Option{
			{Name: "search", Value: "TEXT", Set: func(text string) error { search = &text; return nil }},
			{Name: "role", Value: "patient|doctor|admin", Set: func(text string) (err error) {
				if text == "" {
					return nil
				}
				role, err := roleOf(text)
				filter.Role = &role
				return err
			}},
			settings.Switch("inactive", &inactive), settings.Switch("json", &asJSON),
		},
		run: func(ctx context.Context, c call) error {
			if inactive {
				filter.IsActive = new(false)
			}
			return c.show(ctx, asJSON, func(ctx context.Context, db *store.Store) ([]listedAccount, error) {
				return everyAccount(ctx, db, search, filter)
			})
		},
	}
}

// everyAccount reads all pages of the list.
func everyAccount(ctx context.Context, db *store.Store, search *string, filter model.AccountFilter) ([]listedAccount, error) {
	all := []listedAccount{}
	for page := (model.PageArgs{First: new(model.MaxPage)}); ; {
		accounts, err := db.Accounts(ctx, model.Operator(), search, filter, page)
		if err != nil {
			return nil, err
		}
		for _, entry := range accounts.Entries {
			all = append(all, listed(entry.Node.(*model.User)))
		}
		if !accounts.PageInfo.HasNextPage {
			return all, nil
		}
		page.After = accounts.PageInfo.EndCursor
	}
}

func showAccount() Command {
	var asJSON bool
	return Command{
		name: "accounts show", summary: "show an account, as a table or as JSON", args: []string{"ID"},
		options: []settings.Option{settings.Switch("json", &asJSON)},
		run: func(ctx context.Context, c call) error {
			return c.show(ctx, asJSON, func(ctx context.Context, db *store.Store) ([]listedAccount, error) {
				u, err := db.User(ctx, model.Operator(), accountID(c.args[0]))
				if err != nil {
					return nil, err
				}
				return []listedAccount{listed(u)}, nil
			})
		},
	}
}

// show prints accounts. Nothing else goes to standard output, so that another program can
// read it.
func (c call) show(ctx context.Context, asJSON bool, read func(context.Context, *store.Store) ([]listedAccount, error)) error {
	out := c.Stdout
	c.Stdout = c.Stderr
	return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
		accounts, err := read(ctx, db)
		switch {
		case err != nil:
			return refusal(err)
		case asJSON:
			return json.NewEncoder(out).Encode(accounts)
		default:
			return writeTable(out, accounts)
		}
	})
}

func writeTable(w io.Writer, accounts []listedAccount) error {
	const padding = 2
	table := tabwriter.NewWriter(w, 0, 0, padding, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tUSERNAME\tE-MAIL\tPHONE\tROLE\tSTATE\tCREATED") // Flush returns the error
	for _, a := range accounts {
		state := []string{"active"}
		if !a.IsActive {
			state[0] = "disabled"
		}
		if a.IsConfirmed {
			state = append(state, "confirmed")
		}
		if a.HasTotp {
			state = append(state, "second factor")
		}
		phone := ""
		if a.Phone != nil {
			phone = string(*a.Phone)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Username, a.Email, cmp.Or(phone, "-"), a.Role,
			strings.Join(state, ", "), a.CreatedAt.Format(time.DateOnly))
	}
	return table.Flush()
}
