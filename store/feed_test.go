package store_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// leavesNoRow has the reason why each method of the store leaves no row in the feed.
func leavesNoRow() map[string]string {
	reasons := map[string]string{}
	for reason, names := range map[string]string{
		"reads": `Constraints Local Ping Pooler Stats Up Unannounced Recalls Unproven FeedResets Archive Swept ServerVersion HasAccounts Credential Records CachedViewer SessionViewer Taken Budgets KnowsDevice Totp
			RequiresTotp CredentialOfToken CredentialOf User Rows Fetch Get GetMany Related Page PagesOf Count CountsOf Specializations Accounts
			Changes Entry LiveSessions News OnRing Ring WatchSessions`,
		"changes a session, a code, a budget or a device, which no one follows": `Close CreateSession RotateSession EndSession EndSessions EndSessionNumber SetPasswordHash
			ChangePassword SpendBudgets RefillBudgets RememberDevice CountEvent SpendTotp SpendRecoveryCode WriteCollected ResetPassword SendReset CreateReset
			CreateLinkCode StartTotp SendConfirmation`,
		"removes what is old; see purge_test.go for the rows of Purge": "Sweep SweepHourly Purge Purgeable",
		"changes the row of a server":                                  "RenewServer RemoveServer",
		"changes a mail or a notice, which no one follows":             "DeliverMail SweepMail SendAlreadyRegistered ReadNotices",
	} {
		for name := range strings.FieldsSeq(names) {
			reasons[name] = reason
		}
	}
	return reasons
}

// write is a successful call of a method. It returns rows that it must leave, as kind and
// id, and after * the accounts that they must name.
type write func(t *testing.T, w world) (rows []string)

// world has the records that the writes change.
type world struct {
	*storetest.Clinic

	asha, ravi, boss, priya, helper *storetest.Account
	arjun, gone                     *model.Patient
	entry, deleted                  *model.Doctor
	mapping                         *model.Mapping
	transfer, offered, held         int64
}

func newWorld(t *testing.T) world {
	t.Helper()
	c := storetest.New(t)
	w := world{Clinic: c, asha: c.Owner("Asha").Confirm(), ravi: c.Owner("Ravi").Confirm(), boss: c.Admin("Boss"), helper: c.Owner("Helper").Confirm()}
	w.priya, w.entry = c.Doctor("Priya")
	w.arjun, w.gone, w.deleted = w.asha.Patient("Arjun"), w.asha.DeletedPatient("Banu"), w.asha.DeletedEntry("Dr. Das")
	w.mapping = w.asha.Assign(w.arjun, w.entry)
	w.offered = ok(c.Store.AddTeamMember(t.Context(), w.asha.Viewer, "Ravi", model.LevelSee, nil))(t).ID
	w.held = ok(c.Store.AddTeamMember(t.Context(), w.asha.Viewer, "Helper", model.LevelDesk, nil))(t).ID
	ok(c.Store.AcceptGrant(t.Context(), w.helper.Viewer, w.held))(t)
	w.helper.Grants = model.HoldsTeam | model.NamedInGrant
	w.transfer = ok(c.Store.OfferTransfer(t.Context(), w.asha.Viewer, store.Offer{From: w.asha.UserID, To: w.ravi.UserID, Reason: "moves"}))(t).ID
	return w
}

// row is an entry of what a write returns.
func row(kind model.ChangeKind, id int64, accounts ...*storetest.Account) string {
	text := fmt.Sprint(kind, id)
	var ids []int64
	for _, a := range accounts {
		ids = append(ids, a.UserID)
	}
	slices.Sort(ids)
	if len(ids) > 0 {
		text += " " + strings.Trim(strings.ReplaceAll(fmt.Sprint(ids), " ", ","), "[]")
	}
	return text
}

// writes has a call of each method that changes a record.
func writes() map[string]write {
	name := rename("Arjun Rao")
	fee := []model.Change[model.Doctor]{set("consultationFee", func(d *model.Doctor) { d.ConsultationFee = model.ParseDecimal("7") })}
	license := []model.Change[model.Doctor]{set("licenseNumber", func(d *model.Doctor) { d.LicenseNumber = "OTHER" })}
	p, m, d, u := model.ChangedPatient, model.ChangedMapping, model.ChangedDoctor, model.ChangedUser
	ctx := func(t *testing.T) context.Context { return t.Context() }
	return map[string]write{
		"CreatePatient": func(t *testing.T, w world) []string {
			return []string{row(p, ok(w.Store.CreatePatient(ctx(t), w.asha.Viewer, w.NewPatient("Chitra")))(t).ID)}
		},
		"CreateTeamPatient": func(t *testing.T, w world) []string {
			return []string{row(p, ok(w.Store.CreateTeamPatient(ctx(t), w.helper.Viewer, w.asha.UserID, w.NewPatient("Chitra")))(t).ID)}
		},
		"UpdatePatient": func(t *testing.T, w world) []string {
			return []string{row(p, ok(w.Store.UpdatePatient(ctx(t), w.asha.Viewer, w.arjun.ID, nil, name))(t).ID)}
		},
		"DeletePatient": func(t *testing.T, w world) []string {
			ok(w.Store.DeletePatient(ctx(t), w.asha.Viewer, w.arjun.ID, nil))(t)
			return []string{row(p, w.arjun.ID, w.asha, w.priya, w.helper), row(m, w.mapping.ID)}
		},
		"RestorePatient": func(t *testing.T, w world) []string {
			return []string{row(p, ok(w.Store.RestorePatient(ctx(t), w.asha.Viewer, w.gone.ID))(t).ID)}
		},
		"CreateDoctor": func(t *testing.T, w world) []string {
			return []string{row(d, ok(w.Store.CreateDoctor(ctx(t), w.asha.Viewer, w.NewDoctor("Dr. Roy"), false))(t).ID)}
		},
		"UpdateDoctor": func(t *testing.T, w world) []string {
			ok(w.Store.UpdateDoctor(ctx(t), w.priya.Viewer, w.entry.ID, nil, fee))(t)
			ok(w.Store.UpdateDoctor(ctx(t), w.priya.Viewer, w.entry.ID, nil, license))(t)
			return []string{row(d, w.entry.ID), row(d, w.entry.ID, w.priya)}
		},
		"VerifyDoctor": func(t *testing.T, w world) []string {
			ok(w.VerifyAs(w.boss.Viewer, w.entry.ID, store.Verification{IsVerified: true, Account: new((*int64)(nil))}))(t)
			return []string{row(d, w.entry.ID, w.priya), row(m, w.mapping.ID, w.priya)}
		},
		"DeleteDoctor": func(t *testing.T, w world) []string {
			return []string{row(d, ok(w.Store.DeleteDoctor(ctx(t), w.priya.Viewer, w.entry.ID, nil))(t).ID, w.priya)}
		},
		"RestoreDoctor": func(t *testing.T, w world) []string {
			return []string{row(d, ok(w.Store.RestoreDoctor(ctx(t), w.asha.Viewer, w.deleted.ID))(t).ID)}
		},
		"AssignDoctor": func(t *testing.T, w world) []string {
			other := w.asha.Entry("Dr. Sen")
			return []string{row(m, ok(w.Store.AssignDoctor(ctx(t), w.asha.Viewer, &model.Mapping{PatientID: w.arjun.ID, DoctorID: other.ID}))(t).ID)}
		},
		"UpdateMapping": func(t *testing.T, w world) []string {
			note := []model.Change[model.Mapping]{set("notes", func(m *model.Mapping) { m.Notes = new("rest") })}
			return []string{row(m, ok(w.Store.UpdateMapping(ctx(t), w.asha.Viewer, w.mapping.ID, nil, note))(t).ID)}
		},
		"RemoveMapping": func(t *testing.T, w world) []string {
			return []string{row(m, ok(w.Store.RemoveMapping(ctx(t), w.asha.Viewer, w.mapping.ID, nil))(t).ID, w.priya)}
		},
		"CreateUser": func(t *testing.T, w world) []string {
			made := ok(w.Store.CreateUser(ctx(t), &model.User{Username: "New", Email: "n@home.example", Role: model.RolePatient}, "hash", nil))(t)
			return []string{row(u, made.ID)}
		},
		"UpdateMe": func(t *testing.T, w world) []string {
			return []string{row(u, ok(w.Store.UpdateMe(ctx(t), w.asha.Viewer, []model.Change[model.User]{set("username", func(u *model.User) { u.Username = "A" })}))(t).ID)}
		},
		"DisableAccount": func(t *testing.T, w world) []string {
			return []string{row(u, ok(w.Store.DisableAccount(ctx(t), w.boss.Viewer, w.asha.UserID, "left"))(t).ID, w.asha)}
		},
		"EnableAccount": func(t *testing.T, w world) []string {
			ok(w.Store.DisableAccount(ctx(t), w.boss.Viewer, w.asha.UserID, "left"))(t)
			return []string{row(u, ok(w.Store.EnableAccount(ctx(t), w.boss.Viewer, w.asha.UserID))(t).ID, w.asha)}
		},
		"SetRole": func(t *testing.T, w world) []string {
			return []string{row(u, ok(w.Store.SetRole(ctx(t), w.boss.Viewer, w.asha.UserID, model.RoleDoctor))(t).ID, w.asha)}
		},
		"ConfirmAccount": func(t *testing.T, w world) []string {
			return []string{row(u, ok(w.Store.ConfirmAccount(ctx(t), model.Operator(), w.priya.UserID))(t).ID)}
		},
		"ConfirmEmail": func(t *testing.T, w world) []string {
			w.Exec("UPDATE users SET is_confirmed = FALSE WHERE id = ?", w.priya.UserID)
			ok(w.Store.SendConfirmation(ctx(t), w.priya.Viewer))(t)
			mails := w.Mail()
			ok(w.Store.ConfirmEmail(ctx(t), w.priya.Viewer, mails[len(mails)-1].Data["code"]))(t)
			return []string{row(u, w.priya.UserID)}
		},
		"EnableTotp": func(t *testing.T, w world) []string {
			testutil.Must(t, w.Store.StartTotp(ctx(t), w.asha.Viewer, "hash of Asha", "SEED"))
			pending := ok(w.Store.Totp(ctx(t), w.asha.UserID))(t)
			testutil.Must(t, w.Store.EnableTotp(ctx(t), w.asha.Viewer, pending, 1, []string{"CODE"}, storetest.Session("next", w.asha.UserID, "fresh")))
			return []string{row(u, w.asha.UserID)}
		},
		"DisableTotp": func(t *testing.T, w world) []string {
			w.Exec("UPDATE users SET has_totp = TRUE WHERE id = ?", w.asha.UserID)
			testutil.Must(t, w.Store.DisableTotp(ctx(t), w.asha.Viewer, "hash of Asha", storetest.Session("next", w.asha.UserID, "fresh")))
			return []string{row(u, w.asha.UserID)}
		},
		"RemoveTotp": func(t *testing.T, w world) []string {
			w.Exec("UPDATE users SET has_totp = TRUE WHERE id = ?", w.asha.UserID)
			testutil.Must(t, w.Store.RemoveTotp(ctx(t), w.boss.Viewer, w.asha.UserID, "lost"))
			return []string{row(u, w.asha.UserID)}
		},
		"EraseMe": func(t *testing.T, w world) []string {
			testutil.Must(t, w.Store.EraseMe(ctx(t), w.priya.Viewer, "hash of Priya"))
			return []string{row(u, w.priya.UserID, w.priya), row(d, w.entry.ID, w.priya)}
		},
		"EraseAccount": func(t *testing.T, w world) []string {
			w.Exec("UPDATE grants SET granter_id = ? WHERE id = ?", w.ravi.UserID, w.held)
			testutil.Must(t, w.Store.EraseAccount(ctx(t), model.Operator(), w.ravi.UserID))
			return []string{row(u, w.ravi.UserID, w.ravi), row(u, w.helper.UserID, w.helper)}
		},
		"AddTeamMember": func(t *testing.T, w world) []string {
			ok(w.Store.AddTeamMember(ctx(t), w.ravi.Viewer, "Helper", model.LevelSee, nil))(t)
			return []string{row(u, w.ravi.UserID), row(u, w.helper.UserID)}
		},
		"AcceptGrant": func(t *testing.T, w world) []string {
			ok(w.Store.AcceptGrant(ctx(t), w.ravi.Viewer, w.offered))(t)
			return []string{row(u, w.ravi.UserID, w.ravi), row(u, w.asha.UserID)}
		},
		"EndGrant": func(t *testing.T, w world) []string {
			ok(w.Store.EndGrant(ctx(t), w.asha.Viewer, w.offered, nil))(t)
			ok(w.Store.EndGrant(ctx(t), w.asha.Viewer, w.held, nil))(t)
			return []string{row(u, w.ravi.UserID), row(u, w.helper.UserID, w.helper)}
		},
		"CreateClaimCode": func(t *testing.T, w world) []string {
			_, _, err := w.Store.CreateClaimCode(ctx(t), w.asha.Viewer, w.arjun.ID)
			testutil.Must(t, err)
			return []string{row(u, w.asha.UserID)}
		},
		"ClaimPatient": func(t *testing.T, w world) []string {
			code, _, err := w.Store.CreateClaimCode(ctx(t), w.asha.Viewer, w.arjun.ID)
			testutil.Must(t, err)
			ok(w.Store.ClaimPatient(ctx(t), w.ravi.Viewer, code, "Arjun", w.arjun.DateOfBirth))(t)
			return []string{row(u, w.ravi.UserID, w.ravi)}
		},
		"OfferTransfer": func(t *testing.T, w world) []string {
			ok(w.Store.OfferTransfer(ctx(t), w.asha.Viewer, store.Offer{From: w.asha.UserID, To: w.helper.UserID, Reason: "moves"}))(t)
			return []string{row(u, w.asha.UserID), row(u, w.helper.UserID)}
		},
		"AcceptTransfer": func(t *testing.T, w world) []string {
			ok(w.Store.AcceptTransfer(ctx(t), w.ravi.Viewer, w.transfer))(t)
			return []string{row(p, w.arjun.ID, w.asha, w.helper), row(p, w.gone.ID, w.asha, w.helper), row(u, w.asha.UserID), row(u, w.ravi.UserID)}
		},
		"TransferPatients": func(t *testing.T, w world) []string {
			ok(w.Store.TransferPatients(ctx(t), model.Operator(), store.Offer{From: w.asha.UserID, To: w.ravi.UserID, Reason: "moves"}))(t)
			return []string{row(p, w.arjun.ID, w.asha, w.helper)}
		},
	}
}

// TestFeed_EveryWriteLeavesARow: each record that a method of the store changes has a row in
// the feed, which the same transaction has written. A method that is in neither list fails
// the test.
func TestFeed_EveryWriteLeavesARow(t *testing.T) {
	t.Parallel()
	all, none := writes(), leavesNoRow()
	for method := range reflect.TypeFor[*store.Store]().Methods() {
		if _, listed := none[method.Name]; listed == (all[method.Name] != nil) {
			t.Errorf("Store.%s: say in feed_test.go either how it changes a record or why it leaves no row", method.Name)
		}
	}
	for name, try := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			versions := changedRows(t, w.Clinic)
			w.Exec("DELETE FROM change_feed")
			want := try(t, w)
			var rows []string
			testutil.Must(t, w.DB.NewRaw(`SELECT kind::text || id || CASE WHEN accounts IS NULL THEN '' ELSE ' ' || array_to_string(ARRAY (SELECT unnest(accounts) ORDER BY 1), ',') END
				FROM change_feed ORDER BY seq`).Scan(t.Context(), &rows))
			for _, row := range want {
				if !slices.Contains(rows, row) {
					t.Errorf("there is no row %q in %q", row, rows)
				}
			}
			fed := map[string]bool{}
			var feed []string
			testutil.Must(t, w.DB.NewRaw(`SELECT kind::text || ' ' || id || ' ' || (xid::text::numeric % 4294967296)::bigint FROM change_feed`).Scan(t.Context(), &feed))
			for _, row := range feed {
				fed[row] = true
			}
			for _, version := range changedRows(t, w.Clinic) {
				if !slices.Contains(versions, version) && !fed[version] {
					t.Errorf("the record with kind, id and transaction %s has no row: %q", version, feed)
				}
			}
		})
	}
}

// changedRows returns kind, id and last transaction of each record.
func changedRows(t *testing.T, c *storetest.Clinic) (rows []string) {
	t.Helper()
	testutil.Must(t, c.DB.NewRaw(`SELECT 'P ' || id || ' ' || xmin FROM patients UNION ALL SELECT 'M ' || id || ' ' || xmin FROM mappings
		UNION ALL SELECT 'D ' || id || ' ' || xmin FROM doctors UNION ALL SELECT 'U ' || id || ' ' || xmin FROM users`).Scan(t.Context(), &rows))
	return rows
}

// TestFeed_NamesOnlyThoseWhoHadAccess: a row never names the account of an entry that gives
// none, or of a grant that no one has accepted.
func TestFeed_NamesOnlyThoseWhoHadAccess(t *testing.T) {
	t.Parallel()
	for what, hide := range map[string]func(w world){
		"not verified": func(w world) { w.Exec("UPDATE doctors SET is_verified = FALSE WHERE id = ?", w.entry.ID) },
		"deleted":      func(w world) { w.Exec("UPDATE doctors SET deleted_at = now() WHERE id = ?", w.entry.ID) },
		"not linked":   func(w world) { w.Exec("UPDATE doctors SET account_id = NULL WHERE id = ?", w.entry.ID) },
	} {
		for _, end := range []string{"RemoveMapping", "DeletePatient"} {
			t.Run(what+" "+end, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				hide(w)
				w.Exec("UPDATE grants SET expires_at = now() WHERE id = ?", w.held)
				w.Exec("DELETE FROM change_feed")
				if end == "RemoveMapping" {
					ok(w.Store.RemoveMapping(t.Context(), w.asha.Viewer, w.mapping.ID, nil))(t)
				} else {
					ok(w.Store.DeletePatient(t.Context(), w.asha.Viewer, w.arjun.ID, nil))(t)
				}
				var named []int64
				testutil.Must(t, w.DB.NewRaw("SELECT DISTINCT unnest(accounts) FROM change_feed").Scan(t.Context(), &named))
				if len(named) > 1 || len(named) == 1 && (end == "RemoveMapping" || named[0] != w.asha.UserID) {
					t.Errorf("the feed names %v", named)
				}
			})
		}
	}
}
