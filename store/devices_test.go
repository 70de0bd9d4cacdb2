package store_test

import (
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestDevices_AreKnownToTheirAccountFor180Days(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := storetest.New(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	knows := func(who *storetest.Account, hash string) bool {
		return ok(c.Store.KnowsDevice(t.Context(), who.UserID, []byte(hash)))(t)
	}
	testutil.Must(t, c.Store.RememberDevice(t.Context(), asha.UserID, []byte("phone")))
	testutil.Equal(t, "the device", knows(asha, "phone"), true)
	testutil.Equal(t, "another device", knows(asha, "laptop"), false)
	testutil.Equal(t, "the device of another account", knows(ravi, "phone"), false)

	now = now.Add(180*24*time.Hour - time.Second)
	testutil.Must(t, c.Store.RememberDevice(t.Context(), asha.UserID, []byte("phone")))
	testutil.Equal(t, "the device on the last day", knows(asha, "phone"), true)
	now = now.Add(time.Second)
	testutil.Equal(t, "the device after 180 days, although it was used", knows(asha, "phone"), false)
	testutil.Must(t, c.Store.RememberDevice(t.Context(), asha.UserID, []byte("laptop")))
	testutil.Equal(t, "rows", ok(c.DB.NewSelect().Table("devices").Count(t.Context()))(t), 1)
}

func TestDevices_TheLatestTwentyOfAnAccountAreKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	c := storetest.New(t, func(o *store.Options) { o.Now = func() time.Time { return now } })
	asha, ravi := c.Owner("Asha"), c.Owner("Ravi")
	use := func(who *storetest.Account, device int) {
		now = now.Add(time.Minute)
		testutil.Must(t, c.Store.RememberDevice(t.Context(), who.UserID, []byte{byte(device)}))
	}
	use(ravi, 99)
	for device := range 20 {
		use(asha, device)
	}
	use(asha, 0) // the oldest is used again
	use(asha, 20)
	known := func(who *storetest.Account, device int) bool {
		return ok(c.Store.KnowsDevice(t.Context(), who.UserID, []byte{byte(device)}))(t)
	}
	for device := range 21 {
		testutil.Equal(t, "whether device is known", known(asha, device), device != 1)
	}
	testutil.Equal(t, "the other account's device", known(ravi, 99), true)
	testutil.Equal(t, "rows", ok(c.DB.NewSelect().Table("devices").Count(t.Context()))(t), 21)
}
