package fill

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// summary prints what the run did. It ignores errors of the output.
func (f *filler) summary(took time.Duration) {
	var made int64
	_, _ = fmt.Fprintln(f.out, "\n            made   kept")
	for _, row := range []struct {
		name string
		*count
	}{{"accounts", &f.accounts}, {"doctors", &f.doctors}, {"patients", &f.patients}, {"mappings", &f.mappings}} {
		made += row.made.Load()
		_, _ = fmt.Fprintf(f.out, "  %-8s %6d %6d\n", row.name, row.made.Load(), row.kept.Load())
	}
	_, _ = fmt.Fprintf(f.out, "%d records in %s, %.0f per second.\n",
		made, took.Round(time.Millisecond), float64(made)/max(took.Seconds(), 0.001))
}

// whatNext prints which account to sign in with.
func (f *filler) whatNext() {
	who, others := rahul().Email, ""
	if f.number > 0 {
		others = fmt.Sprintf(", or as one of the %d front desks, %s and so on", len(f.data.Regions), frontDesk(0).Email)
	}
	_, _ = fmt.Fprintf(f.out, `
Try next: sign in as %s%s,
with the password %s, and ask at %s/graphql:

  { patients(first: 5) { totalCount nodes { name age doctors { edges { node { name specialization } mapping { notes } } } } } }
`, who, others, password, f.url)
}

// progress shows the progress of a long job: as a bar on a terminal, otherwise
// as one line for each tenth.
type progress struct {
	w     io.Writer
	what  string
	total int
	bar   *progressbar.ProgressBar // nil: no terminal

	mu   sync.Mutex
	done int
}

func newProgress(w io.Writer, what string, total int) *progress {
	p := &progress{w: w, what: what, total: total}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(fmt.Sprintf("%-8s", what)),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString(what),
			progressbar.OptionThrottle(100*time.Millisecond),
		)
	}
	return p
}

// step counts one more item as done.
func (p *progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a failure to draw the bar must not stop the run
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.done*10/p.total > (p.done-1)*10/p.total {
		_, _ = fmt.Fprintf(p.w, "%s: %d of %d\n", p.what, p.done, p.total)
	}
}

// end leaves the line of the bar.
func (p *progress) end() {
	if p.bar != nil {
		_, _ = fmt.Fprintln(p.w)
	}
}
