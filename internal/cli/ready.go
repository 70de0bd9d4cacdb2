package cli

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/caregraph/caregraph/internal/settings"
)

// Ready is the server that has just started.
type Ready struct {
	Program string // as the user started it, os.Args[0]
	Version string
	Addr    net.Addr
	Metrics net.Addr // nil: no metrics
}

// Print writes the addresses of the server to w, and the next step: the command that
// creates the first administrator in the same database or, in the demo, its people.
func (r Ready) Print(w io.Writer, s settings.Settings) error {
	base, metrics := BaseURL(r.Addr, s), ""
	next := fmt.Sprintf("The first administrator:  %s admin create --email you@clinic.example%s", programName(r.Program), dataFlag(s))
	if s.Demo {
		next = "This is the demo, for this machine alone: its page signs you in as the people of an example clinic."
	}
	if r.Metrics != nil {
		metrics = fmt.Sprintf("  Metrics      http://%s/metrics\n", r.Metrics)
	}
	if r.Addr.Network() == "unix" {
		_, err := fmt.Fprintf(w, "CareGraph %s is ready for a proxy at the socket %s.\n\n%s%s\n", r.Version, r.Addr, metrics, next)
		return err
	}
	_, err := fmt.Fprintf(w, `CareGraph %s is ready.

  Start here   %[2]s/
  GraphQL      %[2]s/graphql
  Schema       %[2]s/schema.graphqls
  REST         %[2]s/docs/
%[3]s
%[4]s
`, r.Version, base, metrics, next)
	return err
}

// BaseURL returns the address of the server for a client on this machine. That of a Unix
// socket is http://localhost, since only its proxy knows the public one.
func BaseURL(addr net.Addr, s settings.Settings) string {
	switch {
	case addr.Network() == "unix":
		return "http://localhost"
	case s.TLSCert != "":
		return "https://" + addr.String()
	default:
		return "http://" + addr.String()
	}
}

// programName is what the user types: go run builds a binary elsewhere.
func programName(arg0 string) string {
	if strings.Contains(arg0, "go-build") {
		return "go run ."
	}
	return arg0
}

// dataFlag is what another command needs to find the same database.
func dataFlag(s settings.Settings) string {
	if s.DatabaseURL != "" {
		return "  (with the same DATABASE_URL)"
	}
	if strings.ContainsAny(s.Data, " '\"\\$") {
		return " --data " + strconv.Quote(s.Data)
	}
	return " --data " + s.Data
}
