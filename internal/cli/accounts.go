package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// accounts returns the commands for accounts. They work while a server runs and while
// none does. Each change is a security event of the account with the client "cli".
func accounts() []Command {
	return []Command{listAccounts(), showAccount(), disableAccount(), enableAccount(), setRole(), confirmAccount(), transferPatients(), eraseAccount(), removeTotp(), resetPassword()}
}

func disableAccount() Command {
	var reason string
	return accountCommand("accounts disable", "end all sessions of an account and refuse new ones", "%s is disabled now.",
		func(ctx context.Context, db *store.Store, id int64) (*model.User, error) {
			return db.DisableAccount(ctx, model.Operator(), id, reason)
		}, required("reason", "TEXT", &reason))
}

func enableAccount() Command {
	return accountCommand("accounts enable", "let a disabled account sign in again", "%s is enabled now.",
		func(ctx context.Context, db *store.Store, id int64) (*model.User, error) {
			return db.EnableAccount(ctx, model.Operator(), id)
		})
}

func confirmAccount() Command {
	return accountCommand("accounts confirm", "record that an account receives mail at its address", "%s is confirmed now.",
		func(ctx context.Context, db *store.Store, id int64) (*model.User, error) {
			return db.ConfirmAccount(ctx, model.Operator(), id)
		})
}

func eraseAccount() Command {
	return accountCommand("accounts erase", "erase an account that owns no patients, for good", "%s is erased.",
		func(ctx context.Context, db *store.Store, id int64) (*model.User, error) {
			return &model.User{ID: id}, db.EraseAccount(ctx, model.Operator(), id)
		})
}

func removeTotp() Command {
	var reason string
	return accountCommand("accounts otp-off", "turn off the second factor of an account that has lost it", "%s signs in without a second factor now.",
		func(ctx context.Context, db *store.Store, id int64) (*model.User, error) {
			return &model.User{ID: id}, db.RemoveTotp(ctx, model.Operator(), id, reason)
		}, required("reason", "TEXT", &reason))
}

func resetPassword() Command {
	return Command{
		name: "accounts reset-password", summary: "print a token for a new password, valid once and for 30 minutes", args: []string{"ID"},
		run: func(ctx context.Context, c call) error {
			return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
				token, err := db.CreateReset(ctx, model.Operator(), accountID(c.args[0]))
				if err != nil {
					return refusal(err)
				}
				_, err = fmt.Fprintf(c.Stdout, "The account sets a new password at %s/account/#reset=%s\n", c.PublicURL, token)
				return err
			})
		},
	}
}

func transferPatients() Command {
	var from, to string
	var offer store.Offer
	return Command{
		name: "accounts transfer", summary: "give all patients of an account to another one, without its consent",
		options: []settings.Option{required("from", "ID", &from), required("to", "ID", &to), required("reason", "TEXT", &offer.Reason)},
		run: func(ctx context.Context, c call) error {
			offer.From, offer.To = accountID(from), accountID(to)
			return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
				t, err := db.TransferPatients(ctx, model.Operator(), offer)
				if err != nil {
					return refusal(err)
				}
				_, err = fmt.Fprintf(c.Stdout, "%d patients went from %s to %s.\n", t.PatientCount, from, to)
				return err
			})
		},
	}
}

// accountCommand changes the account whose id is the argument.
func accountCommand(
	name, summary, done string, change func(ctx context.Context, db *store.Store, id int64) (*model.User, error), options ...settings.Option,
) Command {
	return Command{
		name: name, summary: summary, args: []string{"ID"}, options: options,
		run: func(ctx context.Context, c call) error {
			return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
				u, err := change(ctx, db, accountID(c.args[0]))
				if err != nil {
					return refusal(err)
				}
				_, err = fmt.Fprintf(c.Stdout, done+"\n", u.NodeID())
				return err
			})
		},
	}
}

func setRole() Command {
	return Command{
		name: "accounts role", summary: "set the role to patient, doctor or admin", args: []string{"ID", "ROLE"},
		run: func(ctx context.Context, c call) error {
			role, err := roleOf(c.args[1])
			if err != nil {
				return fmt.Errorf("ROLE: %w, not %q", err, c.args[1])
			}
			return c.withStore(ctx, func(ctx context.Context, db *store.Store) error {
				u, err := db.SetRole(ctx, model.Operator(), accountID(c.args[0]), role)
				if err != nil {
					return refusal(err)
				}
				_, err = fmt.Fprintf(c.Stdout, "%s has the role %s now.\n", u.NodeID(), u.Role)
				return err
			})
		},
	}
}

// roleOf returns the role that an operator names.
func roleOf(text string) (model.Role, error) {
	switch role := model.Role(strings.ToUpper(text)); role {
	case model.RolePatient, model.RoleDoctor, model.RoleAdmin:
		return role, nil
	default:
		return "", errors.New("must be patient, doctor or admin")
	}
}

// accountID reads usr_7 or 7.
func accountID(text string) int64 { return model.ParseID(text).Of(model.KindUser) }

// refusal returns the message of a refusal without its code, and the records that it is
// about.
func refusal(err error) error {
	apiErr, ok := errors.AsType[*model.Error](err)
	if !ok {
		return err
	}
	message := apiErr.Message
	for _, f := range apiErr.Fields {
		if _, record, found := strings.Cut(f.Field, "."); found {
			message += " " + record
		}
	}
	return errors.New(message)
}

// required is an option that must be there.
func required(name, value string, to *string) settings.Option {
	return settings.Option{Name: name, Value: value, Set: func(text string) error {
		if *to = text; text == "" {
			return errors.New("must not be empty")
		}
		return nil
	}}
}
