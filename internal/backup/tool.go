package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/pgserver"
)

// tool is a program of PostgreSQL on a database.
type tool struct {
	cmd    *exec.Cmd
	name   string
	stderr bytes.Buffer
}

// newTool prepares a program that gets the address of the database by its environment:
// others can read its arguments.
func newTool(ctx context.Context, path, address string, args ...string) (*tool, error) {
	env, err := clientEnv(address)
	if err != nil {
		return nil, err
	}
	t := &tool{cmd: exec.CommandContext(ctx, path, args...), name: path[strings.LastIndexByte(path, '/')+1:]} //nolint:gosec // G204: the program is the installation that was found
	t.cmd.Env = append(pgserver.ToolEnv(), env...)
	t.cmd.Stderr = &t.stderr
	return t, nil
}

// clientEnv returns the variables of libpq for a URL of pgx.
func clientEnv(address string) ([]string, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // its text may hold a password
	}
	hosts, ports := []string{config.Host}, []string{strconv.Itoa(int(config.Port))}
	for _, f := range config.Fallbacks {
		if port := strconv.Itoa(int(f.Port)); f.Host != hosts[len(hosts)-1] || port != ports[len(ports)-1] {
			hosts, ports = append(hosts, f.Host), append(ports, port)
		}
	}
	env := []string{
		"PGHOST=" + strings.Join(hosts, ","), "PGPORT=" + strings.Join(ports, ","), "PGUSER=" + config.User,
		"PGPASSWORD=" + config.Password, "PGDATABASE=" + config.Database, "PGCONNECT_TIMEOUT=10",
	}
	if len(hosts) > 1 {
		env = append(env, "PGTARGETSESSIONATTRS=read-write") // the primary
	}
	for _, found := range tlsParameter.FindAllStringSubmatch(address, -1) {
		value, err := url.QueryUnescape(strings.Trim(found[2], "'"))
		if err != nil {
			return nil, fmt.Errorf("the database URL: %s cannot be read", found[1])
		}
		env = append(env, "PG"+strings.ToUpper(found[1])+"="+value)
	}
	return env, nil
}

// tlsParameter matches what pgx keeps in another form.
var tlsParameter = regexp.MustCompile(`(?:^|[?&\s])(sslmode|sslrootcert|sslcert|sslkey)=('[^']*'|[^&\s]*)`)

// run runs the program to its end.
func (t *tool) run() error { return t.explain(t.cmd.Run()) }

// read runs the program, and calls use with what it writes.
func (t *tool) read(use func(io.Reader) error) error {
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := t.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	err = use(out)
	if err == nil {
		_, err = io.Copy(io.Discard, out)
	} else {
		_ = t.cmd.Process.Kill() // it would wait for a reader
	}
	if ended := t.explain(t.cmd.Wait()); ended != nil && (err == nil || t.stderr.Len() > 0) {
		return ended
	}
	return err
}

// explain adds the first error that the program wrote. Later lines could quote values.
func (t *tool) explain(err error) error {
	if err == nil {
		return nil
	}
	for line := range strings.Lines(t.stderr.String()) {
		if _, text, found := strings.Cut(line, "error: "); found {
			return fmt.Errorf("%s: %w: %s", t.name, err, strings.TrimSpace(text))
		}
	}
	return fmt.Errorf("%s: %w", t.name, err)
}

// databaseOf returns the name of the database in the variables of clientEnv.
func databaseOf(env []string) string {
	for _, variable := range env {
		if name, found := strings.CutPrefix(variable, "PGDATABASE="); found {
			return name
		}
	}
	return ""
}
