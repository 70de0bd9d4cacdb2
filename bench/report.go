package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"
)

// report has all results of a run, as in the JSON file.
type report struct {
	Go          string       `json:"go"`
	PostgreSQL  string       `json:"postgresql"`
	Processors  int          `json:"processors"`
	Connections int          `json:"connections"`
	Repeats     int          `json:"repeats"`
	Seconds     float64      `json:"seconds"`
	Workloads   []row        `json:"workloads,omitempty"`
	Others      []row        `json:"others,omitempty"`
	Growth      []growthRow  `json:"growth,omitempty"`
	Limits      []limitRow   `json:"limits,omitempty"`
	Live        []liveRow    `json:"live,omitempty"`
	Builds      []comparison `json:"builds,omitempty"`
}

func newReport(p plan, postgres string) report {
	return report{
		Go: runtime.Version(), PostgreSQL: postgres, Processors: runtime.NumCPU(),
		Connections: connections, Repeats: p.repeats, Seconds: p.counted.Seconds(),
	}
}

func (r report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// print writes the tables as aligned Markdown.
func (r report) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "\nCPU per request, server + PostgreSQL, %d connections, median of %d runs of %g s; %s, PostgreSQL %s, %d CPUs\n\n",
		r.Connections, r.Repeats, r.Seconds, r.Go, r.PostgreSQL, r.Processors)
	var tables []string
	if len(r.Workloads) > 0 {
		tables = append(tables, goalsTable(r.Workloads), contendersTable(r.Workloads), aloneTable(r.Workloads))
	}
	if len(r.Others) > 0 {
		tables = append(tables, othersTable(r.Others))
	}
	if len(r.Growth) > 0 {
		tables = append(tables, growthTable(r.Growth))
	}
	if len(r.Limits) > 0 {
		tables = append(tables, limitsTable(r.Limits))
	}
	if len(r.Live) > 0 {
		tables = append(tables, liveTable(r.Live))
	}
	if len(r.Builds) > 0 {
		tables = append(tables, buildsTable(r.Builds))
	}
	_, _ = io.WriteString(w, strings.Join(tables, "\n"))
}

// goalsTable compares our server with the floor of the goals.
func goalsTable(rows []row) string {
	lines := [][]string{{
		"", "workload", "floor-0.1 ms", "ours ms (server + PostgreSQL)", "CPU", "at most", "requests/s", "at least",
		"p99", "at most", "missed", "statements", "round trips",
	}}
	for _, r := range rows {
		floor, own := r.Results[0], r.Results[1]
		most := "-"
		if r.Goals.CPU > 0 {
			most = times(r.Goals.CPU)
		}
		lines = append(lines, []string{
			r.Workload, r.Title, decimals(floor.CPU, 3), sum(own), times(own.Ratio.CPU), most,
			times(own.Ratio.PerSecond), times(r.Goals.PerSecond), times(own.Ratio.P99), times(r.Goals.P99),
			cmp.Or(strings.Join(r.Missed, ", "), "nothing"), number3(r.Statements), number3(r.RoundTrips),
		})
	}
	return markdown(lines)
}

// contendersTable shows all contenders, with their ratios to the first one.
func contendersTable(rows []row) string {
	lines := [][]string{{
		"", "contender", "ms (server + PostgreSQL)", "ratio", "load generator ms", "foreign ms", "idle %",
		"requests/s", "p50 ms", "p99 ms", "RSS MB",
	}}
	for _, r := range rows {
		for _, one := range r.Results {
			f, ratio := one.Median, one.Ratio
			lines = append(lines, []string{
				r.Workload, one.Contender, sum(one), times(ratio.CPU),
				withRatio(decimals(f.Load, 3), ratio.Load), withRatio(decimals(f.Foreign, 3), ratio.Foreign),
				withRatio(decimals(f.Idle, 1), ratio.Idle), withRatio(decimals(f.PerSecond, 0), ratio.PerSecond),
				withRatio(decimals(f.P50, 2), ratio.P50), withRatio(decimals(f.P99, 2), ratio.P99),
				decimals(f.MostResident, 0),
			})
		}
	}
	return markdown(lines)
}

// aloneTable shows the limit, and the CPU of each contender as its multiple.
func aloneTable(rows []row) string {
	head := []string{"", "HTTP ms", "round trip ms", "PostgreSQL ms", "encoding ms", "limit ms"}
	for _, one := range rows[0].Results {
		head = append(head, one.Contender)
	}
	lines := [][]string{head}
	for _, r := range rows {
		a := r.Alone
		line := []string{r.Workload}
		for _, ms := range []float64{a.HTTP, a.RoundTrip, a.PostgreSQL, a.Encoding, a.Limit} {
			line = append(line, decimals(ms, 4))
		}
		for _, one := range r.Results {
			line = append(line, times(one.CPU/a.Limit))
		}
		lines = append(lines, line)
	}
	return markdown(lines)
}

func times(ratio float64) string { return decimals(ratio, 2) + "x" }

// withRatio leaves out a ratio that there is not.
func withRatio(figure string, ratio float64) string {
	if ratio == 0 {
		return figure
	}
	return figure + " (" + times(ratio) + ")"
}

func sum(r result) string {
	return fmt.Sprintf("%.3f (%.3f + %.3f)", r.CPU, r.Median.ServerCPU, r.Median.PostgresCPU)
}

func decimals(x float64, n int) string { return strconv.FormatFloat(x, 'f', n, 64) }

// number3 writes three digits, and 1 as 1.
func number3(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

// markdown aligns a table whose first line is its head. Columns of numbers are
// aligned to the right.
func markdown(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var out strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			out.WriteString("| " + aligned(cell, widths[i], numeric(lines, i)) + " ")
		}
		out.WriteString("|\n")
		if n > 0 {
			continue
		}
		for i, width := range widths {
			rule := strings.Repeat("-", width)
			if numeric(lines, i) {
				rule = rule[1:] + ":"
			}
			out.WriteString("| " + rule + " ")
		}
		out.WriteString("|\n")
	}
	return out.String()
}

func aligned(cell string, width int, right bool) string {
	space := strings.Repeat(" ", width-utf8.RuneCountInString(cell))
	if right {
		return space + cell
	}
	return cell + space
}

// numeric reports whether the first cell below the head begins with a digit.
func numeric(lines [][]string, column int) bool {
	return len(lines) > 1 && lines[1][column] != "" && lines[1][column][0] >= '0' && lines[1][column][0] <= '9'
}
