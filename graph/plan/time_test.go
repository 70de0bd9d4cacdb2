package plan

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/caregraph/caregraph/model"
)

const secondsInDay = 24 * 60 * 60

// stride is the step of the test: one day around the ends of years, and more in between.
func stride(year int) int {
	if year < 10 || year > 1_890 && year < 2_110 || year%100 == 0 || year > 9_990 {
		return 1
	}
	return 13
}

func wantDate(t *testing.T, days int32) {
	t.Helper()
	at := time.Unix(epoch.Unix()+int64(days)*secondsInDay, 0).UTC()
	if got, want := string(writeDate([]byte("["), sent(days))), "["+marshaled(model.DateOf(at)); got != want {
		t.Fatalf("%d days: %s, want %s", days, got, want)
	}
}

// TestWriteDate_AgreesWithTheModel from the first valid date to the last, and for other
// values of PostgreSQL.
func TestWriteDate_AgreesWithTheModel(t *testing.T) {
	t.Parallel()
	first := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := first; day.Year() < 10_000; day = day.AddDate(0, 0, stride(day.Year())) {
		wantDate(t, int32((day.Unix()-epoch.Unix())/secondsInDay))
	}
	const fromMarchOfYear0, after, firstOfAll, lastOfAll = -730_425, 2_921_940, -2_451_545, 2_145_031_948
	for _, far := range []int32{fromMarchOfYear0 - 1, fromMarchOfYear0, after - 1, after, firstOfAll, lastOfAll, math.MinInt32, math.MaxInt32} {
		wantDate(t, far)
	}
}

func wantDateTime(t *testing.T, micros int64) {
	t.Helper()
	at := time.Unix(epoch.Unix()+micros/1_000_000, micros%1_000_000*1_000)
	if got, want := string(writeDateTime([]byte("["), sent(micros))), "["+marshaled(model.DateTime{Time: at}); got != want {
		t.Fatalf("%d microseconds: %s, want %s", micros, got, want)
	}
}

// TestWriteDateTime_AgreesWithTheModel in all years of PostgreSQL. It also writes a text
// for infinity.
func TestWriteDateTime_AgreesWithTheModel(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	from := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - epoch.UnixMicro()
	until := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - epoch.UnixMicro()
	const firstOfAll, lastOfAll = -211_813_488_000_000_000, 9_223_371_331_199_999_999
	for _, near := range []int64{
		from, until, -epochDay * microsInDay, 0, -epoch.UnixMicro(), microsInDay, -microsInDay, 3_600_000_000, -60_000_000, 1_000_000, firstOfAll, lastOfAll,
	} {
		for offset := int64(-2); offset <= 2; offset++ {
			wantDateTime(t, near+offset)
		}
	}
	wantDateTime(t, math.MinInt64)
	wantDateTime(t, math.MaxInt64)
	for range 50_000 {
		wantDateTime(t, from+random.Int64N(until-from))
		wantDateTime(t, int64(random.Uint64()))
	}
	for second := range int64(secondsInDay) {
		wantDateTime(t, second*1_000_000+random.Int64N(1_000_000))
	}
}
