// Package cli parses the command line and runs the command that it names. It
// implements the commands of operators; the server itself comes from outside,
// through Serve. It decides nothing about records or callers.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/internal/host"
	"github.com/caregraph/caregraph/internal/pgserver"
	"github.com/caregraph/caregraph/internal/settings"
	"github.com/caregraph/caregraph/model"
)

// Env is the process as a command sees it. All fields are required.
type Env struct {
	Args           []string // without the program's name
	Getenv         func(string) string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string
	// Policy compiles the access rules of the schema.
	Policy func() (*model.Policy, error)
}

// Command is a row of the table of commands.
type Command struct {
	name, summary string
	args          []string          // placeholders of the arguments after the name
	options       []settings.Option // next to the settings
	run           func(context.Context, call) error
	// anywhere: the command uses no data directory.
	anywhere bool
	// runArgs, if set, replaces run: it parses its flags itself, and has no
	// settings.
	runArgs func(context.Context, Env, []string) error
}

// call is one run of a command, with checked settings.
type call struct {
	Env
	settings.Settings

	args    []string // as many as the command has placeholders
	log     *slog.Logger
	lines   *host.Lines
	changed []slog.Attr // the settings that are not the defaults
}

// Run runs the command that env.Args names: one of more, which usage lists
// first, or one of this package. Without a name it runs the first of more. The
// error joins all mistakes of the command line, one line each.
func Run(ctx context.Context, env Env, more ...Command) error {
	commands := slices.Concat(more, []Command{migrate(), createAdmin(), createAccount()}, accounts(), []Command{purge(), publishKey(), rotateKeys()}, backups(), []Command{checkUp(), showSettings(), health(), version()})
	name, args := splitName(env.Args)
	at := slices.IndexFunc(commands, func(c Command) bool {
		return name == "" || name == c.name || len(c.args) > 0 && strings.HasPrefix(name, c.name+" ")
	})
	switch {
	case name == "help":
		return usage(env.Stdout, commands)
	case at < 0:
		return fmt.Errorf("unknown command %q; see caregraph help", name)
	case commands[at].runArgs != nil:
		return commands[at].runArgs(ctx, env, args)
	}
	s, rest, err := settings.Parse(args, env.Getenv, commands[at].options...)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return usage(env.Stdout, commands)
	case err != nil:
		return err
	}
	// An argument may have spaces.
	words := env.Args[:len(env.Args)-len(args)]
	given, wanted := slices.Concat(words[min(len(words), len(strings.Fields(commands[at].name))):], rest), commands[at].args
	switch {
	case len(given) > len(wanted):
		return fmt.Errorf("unknown argument %q; see caregraph help", given[len(wanted)])
	case len(given) < len(wanted):
		return fmt.Errorf("%s needs %s; see caregraph help", commands[at].name, strings.Join(wanted, " and "))
	}
	if err := completePaths(&s, env.Getenv); err != nil && !commands[at].anywhere {
		return err
	}
	var log *slog.Logger
	lines := host.NewLines(env.Stderr, func(dropped int64) {
		log.WarnContext(ctx, "log lines were dropped: nothing reads the log fast enough", "count", dropped)
	})
	defer lines.Close()
	log = newLog(s, lines)
	return commands[at].run(ctx, call{env, s, given, log, lines, settings.Changed(args, env.Getenv, commands[at].options...)})
}

// splitName separates the words of the command's name from the flags.
func splitName(args []string) (name string, flags []string) {
	words := 0
	for words < len(args) && !strings.HasPrefix(args[words], "-") {
		words++
	}
	return strings.Join(args[:words], " "), args[words:]
}

// completePaths sets the paths that depend on the machine.
func completePaths(s *settings.Settings, getenv func(string) string) (err error) {
	if s.Data == "" {
		if s.Data, err = pgserver.DefaultDataDir(getenv); err != nil {
			return err
		}
		if s.Demo { // it must not fill the database of the user
			s.Data += "-demo"
		}
	}
	if s.ArchiveDir != "" { // PostgreSQL runs in another directory
		if s.ArchiveDir, err = filepath.Abs(s.ArchiveDir); err != nil {
			return err
		}
	}
	if s.Keys == "" {
		s.Keys = filepath.Join(s.Data, "keys.json")
	}
	if s.Mail == "" {
		s.Mail = settings.Secret("file:" + filepath.Join(s.Data, "mail"))
	}
	return nil
}

func newLog(s settings.Settings, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// usage writes the commands with their options, and all settings.
func usage(w io.Writer, commands []Command) error {
	var b strings.Builder
	b.WriteString("Usage: caregraph [COMMAND] [FLAGS]\n\nCommands:\n")
	for _, c := range append(commands, Command{name: "help", summary: "print this text"}) {
		fmt.Fprintf(&b, "  %-15s  %s\n", strings.Join(append([]string{c.name}, c.args...), " "), c.summary)
		for _, o := range c.options {
			fmt.Fprintf(&b, "  %-15s  --%s %s\n", "", o.Name, o.Value)
		}
	}
	b.WriteByte('\n')
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return settings.Help(w)
}
