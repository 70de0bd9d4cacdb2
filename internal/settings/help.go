package settings

import (
	"fmt"
	"io"
	"strings"
)

const helpWidth = 80

// Help writes what every option means, its variable and its default. The
// error is that of w.
func Help(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Options. Each can be a flag or an environment variable; the flag counts first.\n" +
		"Booleans are written --playground=false, durations 90s or 24h.\n")
	for _, o := range options(&Settings{}) {
		fmt.Fprintf(&b, "\n  --%s %s\n", o.name, o.value)
		for _, line := range wrap(o.help, helpWidth-6) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
		fmt.Fprintf(&b, "      Environment: %s", strings.Join(o.variables(), ", then "))
		if o.standard != "" {
			fmt.Fprintf(&b, ". Default: %s", o.standard)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Markdown returns the same as a table for the README, with a newline at its end.
func Markdown() string {
	escape := strings.NewReplacer("|", `\|`, "*", `\*`)
	var b strings.Builder
	b.WriteString("| Flag | Environment | Default | Meaning |\n| --- | --- | --- | --- |\n")
	for _, o := range options(&Settings{}) {
		standard := ""
		if o.standard != "" {
			standard = "`" + o.standard + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n",
			o.name, strings.Join(o.variables(), "`, `"), standard, escape.Replace(o.help))
	}
	return b.String()
}

func (o option) variables() []string {
	if o.alias == "" {
		return []string{o.variable()}
	}
	return []string{o.variable(), o.alias}
}

// wrap breaks text between words into lines of at most width letters.
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
