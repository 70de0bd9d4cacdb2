package host

import (
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// untouched gives the process its processors back when the test ends.
func untouched(t *testing.T) {
	t.Helper()
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func wantProcessors(t *testing.T, when string, want int) {
	t.Helper()
	if got := runtime.GOMAXPROCS(0); got != want {
		t.Errorf("%s: %d processors, want %d", when, got, want)
	}
}

func TestProcessors_Halve(t *testing.T) {
	untouched(t)
	t.Setenv("GOMAXPROCS", "")
	runtime.SetDefaultGOMAXPROCS()
	all := runtime.GOMAXPROCS(0)
	for range 2 { // a second server in the process takes no half of the half
		var processors Processors
		processors.Halve()
		wantProcessors(t, "half", (all+1)/2)
	}
}

func TestProcessors_HalveRoundsUp(t *testing.T) {
	untouched(t)
	for all, want := range map[int]int{1: 1, 2: 1, 3: 2, 4: 2, 8: 4} {
		new(Processors).halve(all)
		wantProcessors(t, "half", want)
	}
}

func TestProcessors_EnvironmentDecides(t *testing.T) {
	untouched(t)
	runtime.GOMAXPROCS(4)
	t.Setenv("GOMAXPROCS", "4")
	var processors Processors
	processors.Halve()
	wantProcessors(t, "GOMAXPROCS=4", 4)
	processors.ExtraCPU(func() { wantProcessors(t, "GOMAXPROCS=4, at work", 4) })
	processors.UseAll()
	wantProcessors(t, "GOMAXPROCS=4, all", 4)
}

func TestProcessors_UseAllWhileItIsCalled(t *testing.T) {
	untouched(t)
	synctest.Test(t, func(t *testing.T) {
		var processors Processors
		processors.UseAll() // does not count: the number was not halved yet
		processors.halve(4)
		for range 5 { // the last call of each second counts for the next
			processors.UseAll()
			wantProcessors(t, "in use", 4)
			<-time.After(allFor)
			synctest.Wait()
			wantProcessors(t, "a second after a call", 4)
		}
		<-time.After(allFor)
		synctest.Wait()
		wantProcessors(t, "two seconds after the last call", 2)
		processors.UseAll()
		wantProcessors(t, "in use again", 4)
		<-time.After(2 * allFor)
	})
	wantProcessors(t, "afterwards", 2)
}

func TestProcessors_ExtraCPU(t *testing.T) {
	untouched(t)
	var processors Processors
	processors.halve(2)
	const works = 3
	var begun, gone sync.WaitGroup
	end := make(chan struct{})
	begun.Add(works)
	for range works {
		gone.Go(func() { processors.ExtraCPU(func() { begun.Done(); <-end }) })
	}
	begun.Wait()
	wantProcessors(t, "all at work", 1+works)
	close(end)
	gone.Wait()
	wantProcessors(t, "afterwards", 1)
}

func TestProcessors_ExtraCPUSurvivesAPanic(t *testing.T) {
	untouched(t)
	var processors Processors
	processors.halve(2)
	func() {
		defer func() { _ = recover() }()
		processors.ExtraCPU(func() { panic("work") })
	}()
	wantProcessors(t, "after a panic", 1)
}
