// Command bench measures the CPU time of a request, server and PostgreSQL
// together, as a multiple of the floor: a server that does nothing but the work,
// measured in the same run. It also measures a tuned floor, and the parts of a
// request alone. Absolute times say little, because they depend on
// the machine. With --against it compares two builds of the server.
//
// It runs on Linux, from the top level of the repository: make bench. It starts
// its own PostgreSQL and removes it at the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	plan
	growth, live, peers, pgo   bool
	profile, json, dir, server string
	// against is an older build to compare with, "" for none.
	against string
	// largest is the number of patients of the large database.
	largest int
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var only string
	var seconds float64
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&only, "only", "", "what to measure, such as W1,W3 (default all `workloads`), or other requests: "+strings.Join(otherNames(), ","))
	flags.IntVar(&o.repeats, "repeats", 3, "measurements of each workload and contender; the median counts; with --against the rounds, by default 30")
	flags.Float64Var(&seconds, "seconds", 2, "length of a measurement; of a profile by default 4, with --against 0.5")
	flags.StringVar(&o.against, "against", "", "compare this tree with an older server, the `binary` at this path")
	flags.BoolVar(&o.growth, "growth", false, "measure how the cost grows, instead of the goals")
	flags.BoolVar(&o.live, "live", false, "measure retries, the change feed and WebSockets, instead of the goals")
	flags.IntVar(&o.largest, "largest", 5_000_000, "`patients` of the large database of --growth, a multiple of 100")
	flags.BoolVar(&o.peers, "peers", false, "also measure the servers in bench/peers (needs Node)")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of each workload to this `directory`, instead of measuring")
	flags.BoolVar(&o.pgo, "pgo", false, "write default.pgo from profiles of all workloads, instead of measuring")
	flags.StringVar(&o.json, "json", "bin/bench.json", "`file` for all figures")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "`directory` on disk for the database, up to 15 GB with --growth")
	flags.StringVar(&o.server, "log", os.DevNull, "`file` for what the servers log")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if o.against != "" && !set["repeats"] {
		o.repeats = usualRounds
	}
	switch {
	case set["seconds"]:
	case o.against != "":
		seconds = usualSeconds
	case o.pgo || o.profile != "":
		seconds = profileSeconds
	}
	if o.repeats < 1 || seconds <= 0 {
		return o, errors.New("--repeats and --seconds must be positive")
	}
	o.counted = time.Duration(seconds * float64(time.Second))
	o.progress = stderr
	if only != "" {
		o.only = strings.Split(only, ",")
	}
	if o.largest < 1000 || o.largest%100 != 0 {
		return o, errors.New("--largest must be a multiple of 100, at least 1000")
	}
	return o, o.check()
}

// check refuses unknown workloads and options that exclude each other.
func (o options) check() error {
	if o.against != "" && (o.growth || o.live || o.peers || o.pgo || o.profile != "") {
		return errors.New("--against excludes --growth, --live, --peers, --pgo and --profile")
	}
	for _, name := range o.only {
		if o.against != "" && slices.Contains(otherNames(), name) {
			return fmt.Errorf("--against measures workloads only, not %s", name)
		}
		if o.against != "" && name == keyedName {
			continue
		}
		if !slices.ContainsFunc(workloads(), func(w workload) bool { return w.name == name }) && !slices.Contains(otherNames(), name) {
			return fmt.Errorf("--only: there is no workload %s", name)
		}
	}
	return nil
}

func otherNames() (names []string) {
	for _, o := range others() {
		names = append(names, o.name)
	}
	return names
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	if len(args) == 2 && args[0] == "floor" {
		return runFloor(ctx, args[1])
	}
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if _, err := treeCPU(os.Getpid()); err != nil {
		return err // before minutes are spent
	}
	b, err := newBenchmark(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	switch {
	case o.pgo:
		return b.pgo(ctx)
	case o.profile != "":
		dir, err := filepath.Abs(o.profile)
		if err != nil {
			return err
		}
		_, err = b.profiles(ctx, dir)
		return err
	}
	r := newReport(o.plan, b.cluster.version)
	switch {
	case o.growth:
		if r.Growth, err = b.growth(ctx); err == nil {
			r.Limits, err = b.limits(ctx, o.largest)
		}
	case o.live:
		r.Live, err = b.live(ctx)
	case o.against != "":
		r.Builds, err = b.against(ctx, o.against)
	default:
		r.Workloads, r.Others, err = b.requests(ctx, o.peers)
	}
	if err != nil {
		return err
	}
	r.print(stdout)
	return errors.Join(r.save(o.json), failures(r.Builds), overLimits(r.Limits), missedLive(r.Live))
}
