package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func TestStats_TellsThePoolsApart(t *testing.T) {
	t.Parallel()
	c := storetest.New(t, func(o *store.Options) { o.Connections = 5 })
	asha := c.Owner("Asha")
	arjun := asha.Patient("Arjun")
	var during []store.PoolStats
	ok(c.Store.UpdatePatient(t.Context(), asha.Viewer, arjun.ID, nil, []model.Change[model.Patient]{
		set("name", func(*model.Patient) { during = c.Store.Stats() }),
	}))(t)
	after := c.Store.Stats()

	testutil.Equal(t, "pools", [2]string{during[0].Name, during[1].Name}, [2]string{"reads", "writes"})
	testutil.Equal(t, "most connections", [2]int{during[0].Max, during[1].Max}, [2]int{3, 2})
	testutil.Equal(t, "in use during a write", [2]int{during[0].InUse, during[1].InUse}, [2]int{0, 1})
	testutil.Equal(t, "in use after it", [2]int{after[0].InUse, after[1].InUse}, [2]int{0, 0})
	if after[1].Idle < 1 {
		t.Error("the connection of the write is not open any more")
	}
}

// TestUp_HasAListenerOnlyIfThereIsOne: without one, nothing is down.
func TestUp_HasAListenerOnlyIfThereIsOne(t *testing.T) {
	t.Parallel()
	for _, listen := range []bool{false, true} {
		c := storetest.New(t, func(o *store.Options) { o.Listen = listen })
		_, has := c.Store.Up()["listener"]
		_, listens := c.Store.Unproven()
		testutil.Equal(t, "a listener", [2]bool{has, listens}, [2]bool{listen, listen})
	}
}

func TestArchive_IsThatOfPostgreSQL(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	if a := c.Store.Archive(); a != nil {
		t.Errorf("without archive_mode there is %+v", a)
	}
}
