package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Secret is a text that formats, logs and JSON show as "[hidden]". string(s) is
// the text.
type Secret string

const hidden = "[hidden]"

func (Secret) String() string               { return hidden }
func (Secret) GoString() string             { return hidden }
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

func mustBe(what string) error { return errors.New("must be " + what) }

func text(to *string) func(string) error {
	return func(text string) error {
		*to = text
		return nil
	}
}

func filled(to *string) func(string) error {
	return func(text string) error {
		if text == "" {
			return mustBe("a text")
		}
		*to = text
		return nil
	}
}

func boolean(to *bool) func(string) error {
	return func(text string) error {
		b, err := strconv.ParseBool(text)
		if err != nil {
			return mustBe("true or false")
		}
		*to = b
		return nil
	}
}

func oneOf(to *string, allowed ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(allowed, text) {
			return mustBe(strings.Join(allowed, " or "))
		}
		*to = text
		return nil
	}
}

func whole(to *int, least, most int) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return mustBe(fmt.Sprintf("a whole number from %d to %d", least, most))
		}
		*to = n
		return nil
	}
}

// size accepts bytes, KiB and MiB, from one byte to most.
func size(to *int64, most int64) func(string) error {
	return func(text string) error {
		digits, unit := text, int64(1)
		if d, ok := strings.CutSuffix(text, "KiB"); ok {
			digits, unit = d, 1<<10
		} else if d, ok := strings.CutSuffix(text, "MiB"); ok {
			digits, unit = d, mebibyte
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 1 || n > most/unit {
			return mustBe(fmt.Sprintf("a size such as 1048576, 512KiB or 1MiB, at most %dMiB", most/mebibyte))
		}
		*to = n * unit
		return nil
	}
}

// duration accepts a time.Duration of at least a second: tokens count in
// seconds, and a shorter time is probably a forgotten unit.
func duration(to *time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			return mustBe("a duration of at least 1s, such as 90s or 24h")
		}
		*to = d
		return nil
	}
}

func level(to *slog.Level) func(string) error {
	return func(text string) error {
		if err := to.UnmarshalText([]byte(text)); err != nil {
			return mustBe("debug, info, warn or error")
		}
		return nil
	}
}

func address(to *string) func(string) error {
	return func(text string) error {
		_, port, err := net.SplitHostPort(text)
		if err != nil || !isPort(port) {
			return mustBe("HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080")
		}
		*to = text
		return nil
	}
}

func addressOrNone(to *string) func(string) error {
	return func(text string) error {
		if text == "" {
			*to = ""
			return nil
		}
		return address(to)(text)
	}
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// postgresURL checks the form only. The driver checks the rest, and accepts
// several hosts in one URL, which net/url does not.
func postgresURL(to *Secret) func(string) error {
	return func(text string) error {
		scheme, _, isURL := strings.Cut(text, "://")
		switch {
		case isURL && (scheme == "postgres" || scheme == "postgresql"):
		case strings.Contains(text, "=") && (!isURL || strings.Contains(scheme, "=")):
		case text == "":
		default:
			return mustBe("postgres://user:password@host/database or key=value pairs")
		}
		*to = Secret(text)
		return nil
	}
}

// list splits text at commas and omits empty parts.
func list(text string) []string {
	var parts []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func origins(to *[]string) func(string) error {
	return func(text string) error {
		var all []string
		for _, part := range list(text) {
			o, ok := origin(part)
			if !ok {
				return mustBe("scheme://host[:port] without a path, several separated by commas, or * alone")
			}
			all = append(all, o)
		}
		if len(all) > 1 && slices.Contains(all, "*") {
			return mustBe("* alone or without it")
		}
		*to = all
		return nil
	}
}

// origin returns an origin as browsers send it: in lower case, without the
// default port of its scheme (RFC 6454, section 6.2).
func origin(text string) (string, bool) {
	if text == "*" {
		return text, true
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || strings.ContainsFunc(u.Host, neverInOrigin) {
		return "", false
	}
	if !strings.EqualFold(text, u.Scheme+"://"+u.Host) { // a path, a user, a query
		return "", false
	}
	host, port := strings.ToLower(u.Host), u.Port()
	if strings.HasSuffix(host, ":") || (port != "" && !isPort(port)) {
		return "", false
	}
	if (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return u.Scheme + "://" + host, true
}

// neverInOrigin reports characters of patterns, which are not supported, and of
// names that browsers send as punycode: such an origin would never match.
func neverInOrigin(r rune) bool { return r == '*' || r > '~' }

func networks(to *[]netip.Prefix) func(string) error {
	return func(text string) error {
		var all []netip.Prefix
		for _, part := range list(text) {
			p, err := network(part)
			if err != nil {
				return mustBe("networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas")
			}
			all = append(all, p)
		}
		*to = all
		return nil
	}
}

// network accepts a CIDR, or one address as a network of its own.
func network(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("write it as IPv4") // it would never match
	}
	return p.Masked(), err
}
