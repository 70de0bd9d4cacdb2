package settings

import (
	"log/slog"
	"strings"
)

// Origin is a setting as a server uses it, and where it comes from.
type Origin struct {
	Name   string
	Value  string // "(set)" for a secret that is set
	Source string // a flag, a variable, or "default"
}

// Changed returns the settings whose texts are not the defaults, for the log; one with a
// mail address is "(set)", like a secret. The arguments are those of Parse, which must have
// accepted them.
func Changed(args []string, getenv func(string) string, own ...Option) (changed []slog.Attr) {
	table := options(&Settings{})
	for i, o := range Origins(args, getenv, own...) {
		if o.Value == table[i].def {
			continue
		}
		if strings.Contains(o.Value, "@") {
			o.Value = "(set)"
		}
		changed = append(changed, slog.String(o.Name, o.Value))
	}
	return changed
}

// Origins returns all settings in the order of the table. Its arguments are those of
// Parse, which must have accepted them.
func Origins(args []string, getenv func(string) string, own ...Option) []Origin {
	table := options(&Settings{})
	flags, _, _ := readFlags(withOwn(table, own), args)
	all := make([]Origin, len(table))
	for i, o := range table {
		value, source := o.choose(flags, getenv)
		if source == "" {
			source = "default"
		}
		if o.secret && value != "" {
			value = "(set)"
		}
		all[i] = Origin{o.name, value, source}
		if o.fileOf != "" && value != "" { // the row before is that of the secret
			all[i-1].Value, all[i-1].Source = "(set)", source
		}
	}
	return all
}
