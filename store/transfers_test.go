package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// handover is an owner who leaves, a colleague who gets the patients, and two
// administrators.
type handover struct {
	*storetest.Clinic

	asha, ravi, boss, deputy *storetest.Account
}

func newHandover(t *testing.T, options ...func(*store.Options)) *handover {
	t.Helper()
	c := storetest.New(t, options...)
	h := &handover{c, c.Owner("Asha"), c.Owner("Ravi"), c.Admin("Boss"), c.Admin("Deputy")}
	c.Exec("UPDATE users SET is_confirmed = TRUE")
	return h
}

func (h *handover) offer(patients ...int64) store.Offer {
	return store.Offer{From: h.asha.UserID, To: h.ravi.UserID, Patients: patients, Reason: "moves to Pune"}
}

// owners returns the owner of each patient, in the order of the ids.
func (h *handover) owners(t *testing.T) (ids []int64) {
	t.Helper()
	testutil.Must(t, h.DB.NewRaw("SELECT created_by FROM patients ORDER BY id").Scan(t.Context(), &ids))
	return ids
}

func TestTransfer_OfAnOwner(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	priya, entry := h.Doctor("Priya")
	h.Link(entry, priya)
	arjun, other := h.asha.Patient("Arjun"), h.ravi.Patient("Other")
	mapping := h.asha.Assign(arjun, entry)
	h.asha.DeletedPatient("Banu")
	ctx, s := t.Context(), h.Store

	offered := ok(s.OfferTransfer(ctx, h.asha.Viewer, h.offer()))(t)
	testutil.Equal(t, "the offer", fmt.Sprintln(offered.Sender, offered.PatientCount, offered.NeedsApproval, offered.Relations.Names()),
		fmt.Sprintln("Asha", 2, false, []string{"ANYONE", "SIGNED_IN", "OWNER"}))
	for who, v := range map[string]*model.Viewer{"a stranger": h.Stranger().Viewer, "a doctor": priya.Viewer, "nobody": nil} {
		if code := model.CodeOf(errOf(s.AcceptTransfer(ctx, v, offered.ID))); code != model.CodeNotFound && code != model.CodeUnauthenticated {
			t.Errorf("%s gets %s", who, code)
		}
	}
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.asha.Viewer, offered.ID)), model.CodeForbidden, "id")
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.boss.Viewer, offered.ID)), model.CodeForbidden, "id")
	wantIDs(t, "owners before", h.owners(t), h.asha.UserID, h.ravi.UserID, h.asha.UserID)

	accepted := ok(s.AcceptTransfer(ctx, h.ravi.Viewer, offered.ID))(t)
	testutil.Equal(t, "patients that went", accepted.PatientCount, 2)
	wantIDs(t, "owners", h.owners(t), h.ravi.UserID, h.ravi.UserID, h.ravi.UserID)
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.ravi.Viewer, offered.ID)), model.CodeForbidden, "id")
	wantCode(t, errOf(Patient(ctx, s, h.asha.Viewer, arjun.ID)), model.CodeNotFound, "id")
	p := ok(Patient(ctx, s, h.ravi.Viewer, arjun.ID))(t)
	testutil.Equal(t, "the version", p.Version, arjun.Version+1)
	testutil.Equal(t, "the mapping", ok(Mapping(ctx, s, priya.Viewer, mapping.ID))(t).IsActive, true)
	testutil.Equal(t, "the other patient", ok(Patient(ctx, s, h.ravi.Viewer, other.ID))(t).Version, other.Version)
	for side, by := range map[int64]string{h.asha.UserID: "the owner", h.ravi.UserID: "the receiver"} {
		want := []string{
			fmt.Sprintf("TRANSFER_OFFERED by %d moves to Pune", h.asha.UserID), fmt.Sprintf("PATIENTS_TRANSFERRED by %d moves to Pune", h.ravi.UserID),
		}
		if got := eventsOf(t, h.Clinic, side); !slices.Equal(got, want) {
			t.Errorf("events of %s are %q, want %q", by, got, want)
		}
	}
	testutil.Equal(t, "notices of the receiver", scalar[int](t, h.DB.DB, fmt.Sprintf(
		"SELECT count(*)::int FROM notices WHERE kind = 'TRANSFER_OFFERED' AND account_id = %d AND by_id = %d", h.ravi.UserID, h.asha.UserID)), 1)
	testutil.Must(t, s.EraseMe(ctx, h.asha.Viewer, "hash of Asha"))
	if tables := holding(t, h.Clinic, "asha"); len(tables) > 0 {
		t.Errorf("after the owner has left, the name is in %q", tables)
	}
}

func TestTransfer_OfNamedPatients(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	arjun, banu, ravis := h.asha.Patient("Arjun"), h.asha.Patient("Banu"), h.ravi.Patient("Chitra")
	wantCode(t, errOf(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, h.offer(arjun.ID, ravis.ID))), model.CodeNotFound, "patientIds")
	offered := ok(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, h.offer(banu.ID, banu.ID)))(t)
	testutil.Equal(t, "how many", offered.PatientCount, 1)
	ok(h.Store.AcceptTransfer(t.Context(), h.ravi.Viewer, offered.ID))(t)
	wantIDs(t, "owners", h.owners(t), h.asha.UserID, h.ravi.UserID, h.ravi.UserID)
}

// TestTransfer_OfADisabledOwner needs an administrator who offers, another who approves,
// and the receiver.
func TestTransfer_OfADisabledOwner(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.asha.Patient("Arjun")
	ctx, s := t.Context(), h.Store
	wantCode(t, errOf(s.OfferTransfer(ctx, h.boss.Viewer, h.offer())), model.CodeForbidden, "fromId")
	ok(s.DisableAccount(ctx, h.boss.Viewer, h.asha.UserID, "left"))(t)
	wantCode(t, errOf(s.OfferTransfer(ctx, h.ravi.Viewer, h.offer())), model.CodeNotFound, "fromId")
	offered := ok(s.OfferTransfer(ctx, h.boss.Viewer, h.offer()))(t)
	testutil.Equal(t, "needs approval", offered.NeedsApproval, true)
	accept := func(by *storetest.Account) error { return errOf(s.AcceptTransfer(ctx, by.Viewer, offered.ID)) }
	wantCode(t, accept(h.boss), model.CodeForbidden, "id")
	wantCode(t, accept(h.ravi), model.CodeForbidden, "id")
	testutil.Must(t, accept(h.deputy))
	wantCode(t, accept(h.deputy), model.CodeForbidden, "id")
	wantIDs(t, "owners before the receiver agrees", h.owners(t), h.asha.UserID)
	testutil.Must(t, accept(h.ravi))
	wantIDs(t, "owners", h.owners(t), h.ravi.UserID)
	if got := eventsOf(t, h.Clinic, h.ravi.UserID); !slices.Contains(got, fmt.Sprintf("TRANSFER_APPROVED by %d moves to Pune", h.deputy.UserID)) {
		t.Errorf("events are %q", got)
	}
}

// TestTransfer_TheReceiverIsNoSecondAdministrator.
func TestTransfer_TheReceiverIsNoSecondAdministrator(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.asha.Patient("Arjun")
	ok(h.Store.DisableAccount(t.Context(), h.boss.Viewer, h.asha.UserID, "left"))(t)
	o := h.offer()
	o.To = h.deputy.UserID
	offered := ok(h.Store.OfferTransfer(t.Context(), h.boss.Viewer, o))(t)
	wantCode(t, errOf(h.Store.AcceptTransfer(t.Context(), h.deputy.Viewer, offered.ID)), model.CodeForbidden, "id")
}

func TestTransfer_RefusesAnOffer(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	newcomer, gone := h.Owner("Newcomer"), h.Owner("Gone")
	h.Exec("UPDATE users SET is_active = FALSE, is_confirmed = TRUE WHERE id = ?", gone.UserID)
	offer := func(edit func(*store.Offer)) error {
		o := h.offer()
		edit(&o)
		return errOf(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, o))
	}
	wantCode(t, offer(func(*store.Offer) {}), model.CodeNotFound, "patientIds") // there are none
	h.asha.Patient("Arjun")
	wantCodes(t, offer(func(o *store.Offer) { o.To, o.Patients, o.Reason = o.From, []int64{}, " " }), "toId INVALID", "patientIds REQUIRED", "reason REQUIRED")
	wantCode(t, offer(func(o *store.Offer) { o.To = newcomer.UserID }), model.CodeNotConfirmed, "toId")
	wantCode(t, offer(func(o *store.Offer) { o.To = gone.UserID }), model.CodeNotFound, "toId")
	wantCode(t, offer(func(o *store.Offer) { o.To = 999 }), model.CodeNotFound, "toId")
	wantCode(t, offer(func(o *store.Offer) { o.From = h.ravi.UserID; o.To = h.asha.UserID }), model.CodeNotFound, "fromId")
	wantCode(t, offer(func(o *store.Offer) { o.Patients = make([]int64, 1001) }), model.CodeInvalid, "patientIds")
	wantCode(t, errOf(h.Store.TransferPatients(t.Context(), h.asha.Viewer, h.offer())), model.CodeForbidden, "fromId")
	testutil.Equal(t, "transfers", scalar[int](t, h.DB.DB, "SELECT count(*)::int FROM transfers"), 0)
}

// TestTransfer_AnOfferEnds: with a newer one, with time, and when the owner is disabled.
func TestTransfer_AnOfferEnds(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := newHandover(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
	h.asha.Patient("Arjun")
	ctx, s := t.Context(), h.Store
	first := ok(s.OfferTransfer(ctx, h.asha.Viewer, h.offer()))(t)
	second := ok(s.OfferTransfer(ctx, h.asha.Viewer, h.offer()))(t)
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.ravi.Viewer, first.ID)), model.CodeNotFound, "id")
	testutil.Equal(t, "notices", scalar[int](t, h.DB.DB, "SELECT count(*)::int FROM notices WHERE kind = 'TRANSFER_OFFERED'"), 1)
	now = now.Add(30 * 24 * time.Hour)
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.ravi.Viewer, second.ID)), model.CodeForbidden, "id")
	third := ok(s.OfferTransfer(ctx, h.asha.Viewer, h.offer()))(t)
	ok(s.DisableAccount(ctx, h.boss.Viewer, h.asha.UserID, "stolen"))(t)
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.ravi.Viewer, third.ID)), model.CodeForbidden, "id")
	byBoss := ok(s.OfferTransfer(ctx, h.boss.Viewer, h.offer()))(t)
	ok(s.AcceptTransfer(ctx, h.deputy.Viewer, byBoss.ID))(t)
	ok(s.EnableAccount(ctx, h.boss.Viewer, h.asha.UserID))(t)
	wantCode(t, errOf(s.AcceptTransfer(ctx, h.ravi.Viewer, byBoss.ID)), model.CodeForbidden, "id")
	wantIDs(t, "owners", h.owners(t), h.asha.UserID)
}

func TestTransfer_WaitingOffersAreBounded(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	h.asha.Patient("Arjun")
	h.Exec(`INSERT INTO users (username, email, role, password_hash, is_confirmed) SELECT 'u' || n, 'u' || n || '@clinic.example', 'PATIENT', '!', TRUE FROM generate_series(1, 20) AS n`)
	var others []int64
	testutil.Must(t, h.DB.NewRaw("SELECT id FROM users WHERE username LIKE 'u%' AND password_hash = '!'").Scan(t.Context(), &others))
	for _, id := range others {
		o := h.offer()
		o.To = id
		ok(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, o))(t)
	}
	wantCode(t, errOf(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, h.offer())), model.CodeLimitReached, "fromId")
}

// TestTransfer_NamesPatientsWhoseValuesAreTaken, and moves none.
func TestTransfer_NamesPatientsWhoseValuesAreTaken(t *testing.T) {
	t.Parallel()
	h := newHandover(t)
	with := func(email, number string) func(*model.Patient) {
		return func(p *model.Patient) {
			if email != "" {
				p.Email = new(model.ParseEmail(email))
			}
			if number != "" {
				p.RecordNumber = &number
			}
		}
	}
	h.ravi.Patient("A", with("one@mail.example", ""))
	h.ravi.Patient("B", with("", "OPD-1"))
	one, fine, number := h.asha.Patient("C", with("one@mail.example", "")), h.asha.Patient("D", with("two@mail.example", "OPD-2")), h.asha.Patient("E", with("", "opd-1"))
	taken := []string{fmt.Sprintf("id.pat_%d TAKEN", one.ID), fmt.Sprintf("id.pat_%d TAKEN", number.ID)}
	offered := ok(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, h.offer()))(t)
	before := h.owners(t)
	wantCodes(t, errOf(h.Store.AcceptTransfer(t.Context(), h.ravi.Viewer, offered.ID)), taken...)
	wantCodes(t, errOf(h.Store.TransferPatients(t.Context(), model.Operator(), h.offer())), taken...)
	wantIDs(t, "owners", h.owners(t), before...)
	offered = ok(h.Store.OfferTransfer(t.Context(), h.asha.Viewer, h.offer(fine.ID, number.ID)))(t)
	wantCodes(t, errOf(h.Store.AcceptTransfer(t.Context(), h.ravi.Viewer, offered.ID)), taken[1])
}

// TestTransfer_OfAnOperator moves thousands at once, also those of an active owner.
func TestTransfer_OfAnOperator(t *testing.T) {
	t.Parallel()
	h := newHandover(t, func(o *store.Options) { o.Quotas.Records, o.Client = 2_600, "cli" })
	h.Exec(`INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by, created_at)
		SELECT 'P' || n, '1990-01-01', 'MALE', '+91', '', '+91', ?, timestamptz '2020-01-01' + n % 7 * interval '1 hour' FROM generate_series(1, 2500) AS n`, h.asha.UserID)
	h.asha.Patient("Arjun") // its quota is counted now
	testutil.Equal(t, "rows of the owner", ok(h.Store.Rows(t.Context(), h.asha.Viewer, "patients", 5_000))(t), 2501)
	done := ok(h.Store.TransferPatients(t.Context(), model.Operator(), h.offer()))(t)
	testutil.Equal(t, "how many", done.PatientCount, 2501)
	testutil.Equal(t, "of the receiver", scalar[int](t, h.DB.DB, fmt.Sprintf("SELECT count(*)::int FROM patients WHERE created_by = %d AND version = 2", h.ravi.UserID)), 2501)
	testutil.Equal(t, "rows of the owner", ok(h.Store.Rows(t.Context(), h.asha.Viewer, "patients", 5_000))(t), 0)
	testutil.Equal(t, "rows of the receiver", ok(h.Store.Rows(t.Context(), h.ravi.Viewer, "patients", 5_000))(t), 2501)
	if got := strings.Join(eventsOf(t, h.Clinic, h.asha.UserID), ", "); got != "PATIENTS_TRANSFERRED cli moves to Pune" {
		t.Errorf("events are %s", got)
	}
}
