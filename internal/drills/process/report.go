package process

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is what a drill found.
type Report struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// Broken are the promises that did not hold. The drill fails if there is one.
	Broken []string `json:"broken"`
}

// Break adds a promise that did not hold.
func (r *Report) Break(format string, args ...any) {
	r.Broken = append(r.Broken, fmt.Sprintf(format, args...))
}

// Print prints the table as Markdown, and below it what is broken.
func (r *Report) Print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	row := func(cells []string) {
		_, _ = fmt.Fprintf(table, "| %s\t|\n", strings.Join(cells, "\t| "))
	}
	row(r.Columns)
	row(slices.Repeat([]string{"---"}, len(r.Columns)))
	for _, values := range r.Rows {
		cells := make([]string, len(values))
		for i, value := range values {
			cells[i] = fmt.Sprint(value)
		}
		row(cells)
	}
	_ = table.Flush() // the output has no other place for an error
	for _, promise := range r.Broken {
		_, _ = fmt.Fprintln(out, "BROKEN:", promise)
	}
}
