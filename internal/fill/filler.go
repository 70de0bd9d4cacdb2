package fill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// filler is one run.
type filler struct {
	options
	data     *dataset
	client   *client
	out      io.Writer
	progress io.Writer
	now      func() time.Time

	accounts, patients, doctors, mappings count
}

// count counts the records of a type that the run made, and those that existed
// already and were kept.
type count struct{ made, kept atomic.Int64 }

func (c *count) add(made bool) {
	if made {
		c.made.Add(1)
	} else {
		c.kept.Add(1)
	}
}

func (f *filler) run(ctx context.Context) error {
	if err := f.checkServer(ctx); err != nil {
		return err
	}
	began := f.now()
	err := f.fill(ctx)
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted; run it again to go on: %w", ctx.Err())
	}
	f.summary(f.now().Sub(began))
	if err == nil {
		f.whatNext()
	}
	return err
}

// checkServer returns an error if no server answers.
func (f *filler) checkServer(ctx context.Context) error {
	_, err := f.client.do(ctx, "", operation{"server check", "{ reply: __schema { description } }"}, nil)
	if _, ok := errors.AsType[*apiError](err); ok {
		return nil // introspection is off, so a server answers
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("no CareGraph server at %s: %w.\nStart one with `make run`, or name another with --url", f.url, err)
	}
	return nil
}

func (f *filler) fill(ctx context.Context) error {
	if err := f.examples(ctx); err != nil {
		return err
	}
	if f.number == 0 {
		return nil
	}
	return f.makePeople(ctx)
}

// examples makes the example records of the README.
func (f *filler) examples(ctx context.Context) error {
	token, err := f.signIn(ctx, rahul())
	if err == nil && !f.force {
		err = f.checkAccounts(ctx, token)
	}
	if err != nil {
		return err
	}
	patientID, err := f.ensure(ctx, token, f.patientKind(), arjun(), arjun().Email)
	if err != nil {
		return err
	}
	doctorID, err := f.ensure(ctx, token, f.doctorKind(), priya(), priya().LicenseNumber)
	if err != nil {
		return err
	}
	if err := f.assign(ctx, token, patientID, doctorID, exampleNotes); err != nil {
		return err
	}
	_, err = fmt.Fprintf(f.out, "The examples %s: account %s, patient %s, doctor %s.\n",
		f.examplesStatus(), rahul().Email, patientID, doctorID)
	return err
}

// examplesStatus says whether all of the examples are new, or none, or some.
func (f *filler) examplesStatus() string {
	var made, kept int64
	for _, c := range []*count{&f.accounts, &f.patients, &f.doctors, &f.mappings} {
		made, kept = made+c.made.Load(), kept+c.kept.Load()
	}
	switch {
	case kept == 0:
		return "were made"
	case made == 0:
		return "were there already and are kept"
	default:
		return "were there in part and are complete now"
	}
}

// makePeople makes the people of the seed: doctors first, so that patients can
// be assigned to them.
func (f *filler) makePeople(ctx context.Context) error {
	tokens := make([]string, len(f.data.Regions))
	for i := range tokens {
		token, err := f.signIn(ctx, frontDesk(i))
		if err != nil {
			return err
		}
		tokens[i] = token
	}
	doctorIDs := make([]string, max(1, f.number/patientsPerDoctor))
	err := f.each(ctx, "doctors", len(doctorIDs), func(ctx context.Context, i int) (err error) {
		d := f.data.doctor(i)
		doctorIDs[i], err = f.ensure(ctx, tokens[f.data.regionOf(i)], f.doctorKind(), d, d.LicenseNumber)
		return err
	})
	if err != nil {
		return err
	}
	return f.each(ctx, "patients", f.number, func(ctx context.Context, i int) error {
		p, assignments := f.data.patient(i)
		token := tokens[f.data.regionOf(i)]
		id, err := f.ensure(ctx, token, f.patientKind(), p, p.Email)
		for _, c := range assignments {
			if err == nil {
				err = f.assign(ctx, token, id, doctorIDs[c.doctor], c.notes)
			}
		}
		return err
	})
}

// each calls do for 0 to n-1, several at a time, until one call fails.
func (f *filler) each(ctx context.Context, what string, n int, do func(context.Context, int) error) error {
	p := newProgress(f.progress, what, n)
	defer p.end()
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(f.concurrency)
	for i := 0; i < n && working.Err() == nil; i++ {
		group.Go(func() error {
			if err := do(working, i); err != nil {
				return fmt.Errorf("%s, number %d: %w", what, i+1, err)
			}
			p.step()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
