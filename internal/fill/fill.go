// Package fill puts example records into a running server. It uses only the
// public GraphQL API, so it can do nothing that another client could not do.
// All people are invented. The same seed makes the same people, and a second
// run keeps what the first one made.
//
// The passwords of its accounts are public. Never use it on a server that holds
// real data.
package fill

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultURL         = "http://127.0.0.1:8080"
	defaultSeed        = 1
	defaultConcurrency = 8
	maxConcurrency     = 64
)

const usage = `Usage: caregraph fill [FLAGS]

Fills a running server with example records, through its API. It may be run
again: it keeps the records that exist.

  --url URL          the server. Environment: CAREGRAPH_URL. Default: ` + defaultURL + `
  --number N         make N patients and about N/10 doctors in addition to the
                     examples. Default: 0
  --seed N           other seeds make other people. Default: 1
  --concurrency N    requests at a time, 1 to 64. Default: 8
  --force            fill a server that has accounts of other people, too
`

// options are the validated flags.
type options struct {
	url         string
	number      int
	seed        uint64
	concurrency int
	force       bool
}

// Run fills the server that the flags in args or the variable CAREGRAPH_URL
// name: with the examples of the README, and with the requested number of other
// patients. It writes the result to stdout and the progress to stderr.
//
// Without --force it refuses a server that had accounts of other people before its
// first run.
//
// It returns an error that says what to do when no server answers, and stops
// at the first record that is refused. When ctx ends it stops, tells what it
// did, and returns an error that wraps context.Canceled. No error text holds
// data of a patient.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	o, err := parse(args, getenv)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(stdout, usage)
		return err
	}
	if err != nil {
		return err
	}
	f := newFiller(o, stdout, stderr)
	defer f.client.http.CloseIdleConnections()
	return f.run(ctx)
}

func parse(args []string, getenv func(string) string) (options, error) {
	var o options
	flags := flag.NewFlagSet("fill", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.url, "url", cmp.Or(getenv("CAREGRAPH_URL"), defaultURL), "")
	flags.IntVar(&o.number, "number", 0, "")
	flags.Uint64Var(&o.seed, "seed", defaultSeed, "")
	flags.IntVar(&o.concurrency, "concurrency", defaultConcurrency, "")
	flags.BoolVar(&o.force, "force", false, "")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q; see caregraph fill --help", flags.Arg(0))
	}
	return o, o.check()
}

// check returns all errors together.
func (o *options) check() error {
	var errs []error
	u, err := url.Parse(o.url)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		errs = append(errs, errors.New("--url: must be http://HOST:PORT or https://HOST, without user and query"))
	}
	o.url = strings.TrimRight(o.url, "/")
	if o.number < 0 {
		errs = append(errs, fmt.Errorf("--number: must not be negative, not %d", o.number))
	}
	if o.concurrency < 1 || o.concurrency > maxConcurrency {
		errs = append(errs, fmt.Errorf("--concurrency: must be 1 to %d, not %d", maxConcurrency, o.concurrency))
	}
	return errors.Join(errs...)
}

func newFiller(o options, stdout, stderr io.Writer) *filler {
	return &filler{
		options: o,
		data:    newDataset(o.seed),
		client: &client{
			endpoint: o.url + "/graphql",
			http:     newHTTPClient(o.concurrency),
			now:      time.Now,
			wait:     sleep,
		},
		out:      stdout,
		progress: stderr,
		now:      time.Now,
	}
}

const requestTimeout = 30 * time.Second

// newHTTPClient keeps one connection for each concurrent request. It does not
// follow redirects: a POST would become a GET.
func newHTTPClient(connections int) *http.Client {
	return &http.Client{
		Timeout:       requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			MaxIdleConnsPerHost: connections,
			IdleConnTimeout:     requestTimeout,
		},
	}
}

// sleep returns the error of ctx if ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
