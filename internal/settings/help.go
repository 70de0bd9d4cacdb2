package settings

import (
	"fmt"
	"io"
	"strings"
)

const helpWidth = 80

// Help writes the meaning, the variables and the default of each setting to w.
// Its error is that of w.
func Help(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Settings. Each is a flag or an environment variable. The flag wins.\n" +
		"Write booleans as --playground=false, and durations as 90s or 24h.\n")
	for _, o := range options(&Settings{}) {
		fmt.Fprintf(&b, "\n  --%s %s\n", o.name, o.value)
		for _, line := range wrap(o.help, helpWidth-6) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
		fmt.Fprintf(&b, "      Environment: %s", strings.Join(o.variables(), ", then "))
		if o.def != "" {
			fmt.Fprintf(&b, ". Default: %s", o.def)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown returns the same as the table of docs/operations.md, with a newline
// at its end.
func Markdown() string {
	escape := strings.NewReplacer("|", `\|`, "*", `\*`)
	var b strings.Builder
	b.WriteString("| Flag | Environment | Default | Meaning |\n| --- | --- | --- | --- |\n")
	for _, o := range options(&Settings{}) {
		def := ""
		if o.def != "" {
			def = "`" + o.def + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n",
			o.name, strings.Join(o.variables(), "`, `"), def, escape.Replace(o.help))
	}
	return b.String()
}

// Limits returns the limits and quotas as a table of docs/operations.md, with a newline
// at its end.
func Limits() string {
	var b strings.Builder
	b.WriteString("| Setting | Default | Error code | `Retry-After` |\n| --- | --- | --- | --- |\n")
	for _, o := range options(&Settings{}) {
		if o.code != "" {
			fmt.Fprintf(&b, "| `--%s` | `%s` | `%s` | %s |\n", o.name, o.def, o.code, o.retryAfter)
		}
	}
	return b.String()
}

// wrap splits text between words into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
