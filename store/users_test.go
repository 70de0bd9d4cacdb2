package store_test

import (
	"errors"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestCreateUser_TellsEveryTakenValueAtOnce(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	create := func(username string, email model.EmailAddress, phone *model.PhoneNumber) error {
		u := &model.User{Username: username, Email: email, Phone: phone, Role: model.RolePatient}
		_, err := c.Store.CreateUser(t.Context(), u, "hash", func(id int64) (store.Session, error) {
			return storetest.Session(username, id, "refresh"), nil
		})
		return err
	}
	wantCodes(t, create("ASHA", asha.User.Email, asha.User.Phone), "username TAKEN", "email TAKEN", "phone TAKEN")
	wantCodes(t, create("aSHA", ravi.User.Email, nil), "username TAKEN", "email TAKEN")
	wantCodes(t, create("New", "new@clinic.example", ravi.User.Phone), "phone TAKEN")
	testutil.Equal(t, "creating with nothing taken", create("New", "new@clinic.example", nil), nil)
	testutil.Equal(t, "a second account without a phone", create("Newer", "newer@clinic.example", nil), nil)
}

func TestCreateUser_WithoutItsSessionThereIsNoAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	failure := errors.New("no tokens today")
	u := &model.User{Username: "Asha", Email: "asha@clinic.example", Role: model.RolePatient}
	_, err := c.Store.CreateUser(t.Context(), u, "hash", func(int64) (store.Session, error) { return store.Session{}, failure })
	if !errors.Is(err, failure) {
		t.Fatalf("error is %v", err)
	}
	_, err = c.Store.Credential(t.Context(), "asha@clinic.example")
	wantCode(t, err, model.CodeNotFound, "email")
}

func TestUpdateMe_ChangesTheViewersOwnAccount(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	username := func(name string) model.Change[model.User] {
		return set("username", func(u *model.User) { u.Username = name })
	}
	phone := func(number *model.PhoneNumber) model.Change[model.User] {
		return set("phone", func(u *model.User) { u.Phone = number })
	}
	update := func(changes ...model.Change[model.User]) (*model.User, error) {
		return c.Store.UpdateMe(t.Context(), asha.Viewer, changes)
	}
	after := ok(update(username("asha.rao"), phone(new(model.PhoneNumber("+919811111111")))))(t)
	testutil.Equal(t, "what was stored", resultText(ok(c.Store.User(t.Context(), asha.Viewer, asha.UserID))(t), nil), resultText(after, nil))
	testutil.Equal(t, "username", after.Username, "asha.rao")
	testutil.Equal(t, "username in other letters", ok(update(username("ASHA.rao")))(t).Username, "ASHA.rao")
	testutil.Equal(t, "phone", ok(update(phone(nil)))(t).Phone, nil)
	testutil.Equal(t, "an update of nothing", ok(update())(t).Username, "ASHA.rao")

	_, err := update(username("ravi"))
	wantCodes(t, err, "username TAKEN")
	_, err = update(phone(ravi.User.Phone))
	wantCodes(t, err, "phone TAKEN")
	_, err = update(username("two words"), phone(new(model.PhoneNumber("12"))))
	wantCodes(t, err, "username INVALID", "phone INVALID")
	_, err = update(model.Change[model.User]{Field: "username"})
	wantCodes(t, err, "username REQUIRED")
	_, err = update(set("role", func(u *model.User) { u.Role = model.RoleAdmin }), username("boss"))
	wantCodes(t, err, "role FORBIDDEN")
	_, err = c.Store.UpdateMe(t.Context(), nil, nil)
	wantCode(t, err, model.CodeUnauthenticated)
	testutil.Equal(t, "username after refusals", ok(c.Store.User(t.Context(), asha.Viewer, asha.UserID))(t).Username, "ASHA.rao")
}

// TestUpdateMe_TellsOneTakenValueAndNoOtherFault: a probe for the values of others costs
// a change of the own account.
func TestUpdateMe_TellsOneTakenValueAndNoOtherFault(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	username := func(name string) model.Change[model.User] {
		return set("username", func(u *model.User) { u.Username = name })
	}
	taken, free := set("phone", func(u *model.User) { u.Phone = ravi.User.Phone }), set("phone", func(u *model.User) { u.Phone = nil })
	for what, try := range map[string]struct {
		changes []model.Change[model.User]
		want    string
	}{
		"both are taken":                {[]model.Change[model.User]{username("ravi"), taken}, "username TAKEN"},
		"both, the other way round":     {[]model.Change[model.User]{taken, username("ravi")}, "username TAKEN"},
		"the username alone":            {[]model.Change[model.User]{username("ravi"), free}, "username TAKEN"},
		"a bad username, a taken phone": {[]model.Change[model.User]{username("two words"), taken}, "username INVALID"},
		"no username, a taken phone":    {[]model.Change[model.User]{{Field: "username"}, taken}, "username REQUIRED"},
		"a role, a taken phone": {
			[]model.Change[model.User]{set("role", func(u *model.User) { u.Role = model.RoleAdmin }), taken}, "role FORBIDDEN",
		},
	} {
		_, err := c.Store.UpdateMe(t.Context(), asha.Viewer, try.changes)
		t.Log(what)
		wantCodes(t, err, try.want)
	}
}

// TestTaken_IsWhatCreateUserTells, before there is a hash to store.
func TestTaken_IsWhatCreateUserTells(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	wantCodes(t, c.Store.Taken(t.Context(), &model.User{Username: "ASHA", Email: ravi.User.Email, Phone: asha.User.Phone}),
		"username TAKEN", "email TAKEN", "phone TAKEN")
	wantCodes(t, c.Store.Taken(t.Context(), &model.User{Username: "New", Email: ravi.User.Email}), "email TAKEN")
	testutil.Must(t, c.Store.Taken(t.Context(), &model.User{Username: "New", Email: "new@clinic.example"}))
}

func TestUsers_OfOthersSeenByThoseWhoSeeARecordOfThem(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, stranger := c.Owner("Asha"), c.Stranger()
	priya, entry := c.Doctor("Priya")
	mapping := asha.Assign(asha.Patient("Arjun"), entry)
	for _, v := range []*model.Viewer{asha.Viewer, priya.Viewer, c.Admin("Boss").Viewer} {
		testutil.Equal(t, "username", ok(c.Store.User(t.Context(), v, asha.UserID))(t).Username, "Asha")
	}
	asha.Remove(mapping)
	for _, v := range []*model.Viewer{nil, stranger.Viewer, priya.Viewer} {
		for _, id := range []int64{asha.UserID, 999} {
			_, err := c.Store.User(t.Context(), v, id)
			wantCode(t, err, model.CodeNotFound, "id")
		}
	}
}

func TestCredential_IsWhatASignInNeeds(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	want := store.Credential{UserID: asha.UserID, Username: "Asha", Email: "asha@clinic.example", PasswordHash: "hash of Asha", IsActive: true}
	testutil.Equal(t, "credential by e-mail", *ok(c.Store.Credential(t.Context(), "asha@clinic.example"))(t), want)
	testutil.Equal(t, "credential of the viewer", *ok(c.Store.CredentialOf(t.Context(), asha.Viewer))(t), want)
	c.Exec("UPDATE users SET is_active = FALSE")
	testutil.Equal(t, "whether it is active", ok(c.Store.Credential(t.Context(), "asha@clinic.example"))(t).IsActive, false)

	_, err := c.Store.Credential(t.Context(), "nobody@clinic.example")
	wantCode(t, err, model.CodeNotFound, "email")
	_, err = c.Store.CredentialOf(t.Context(), nil)
	wantCode(t, err, model.CodeUnauthenticated)
}

func TestSetPasswordHash_OnlyInPlaceOfTheOldOne(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	hash := func(who *storetest.Account) string {
		return ok(c.Store.CredentialOf(t.Context(), who.Viewer))(t).PasswordHash
	}
	testutil.Equal(t, "error", c.Store.SetPasswordHash(t.Context(), asha.UserID, "another hash", "new hash"), nil)
	testutil.Equal(t, "hash, when the old one is another", hash(asha), "hash of Asha")
	testutil.Equal(t, "error", c.Store.SetPasswordHash(t.Context(), asha.UserID, "hash of Asha", "new hash"), nil)
	testutil.Equal(t, "hash", hash(asha), "new hash")
	testutil.Equal(t, "another's hash", hash(ravi), "hash of Ravi")
}
