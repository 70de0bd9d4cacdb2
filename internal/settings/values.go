package settings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
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

// setter returns a function that stores what parse makes of a text. Its error
// says what the text must be.
func setter[T any](to *T, what string, parse func(text string) (T, bool)) func(string) error {
	return func(text string) error {
		value, ok := parse(text)
		if !ok {
			return errors.New("must be " + what)
		}
		*to = value
		return nil
	}
}

func text(to *string) func(string) error {
	return setter(to, "a text", func(text string) (string, bool) { return text, true })
}

func filled(to *string) func(string) error {
	return setter(to, "a text", func(text string) (string, bool) { return text, text != "" })
}

func boolean(to *bool) func(string) error {
	return setter(to, "true or false", func(text string) (bool, bool) {
		b, err := strconv.ParseBool(text)
		return b, err == nil
	})
}

func oneOf(to *string, allowed ...string) func(string) error {
	return setter(to, strings.Join(allowed, " or "), func(text string) (string, bool) {
		return text, slices.Contains(allowed, text)
	})
}

func whole(to *int, least, most int) func(string) error {
	return setter(to, fmt.Sprintf("a whole number from %d to %d", least, most), func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= least && n <= most
	})
}

// size accepts bytes, KiB and MiB, from one byte to most.
func size(to *int64, most int64) func(string) error {
	what := fmt.Sprintf("a size such as 1048576, 512KiB or 1MiB, at most %dMiB", most/mebibyte)
	return setter(to, what, func(text string) (int64, bool) {
		digits, unit := text, int64(1)
		if d, ok := strings.CutSuffix(text, "KiB"); ok {
			digits, unit = d, 1<<10
		} else if d, ok := strings.CutSuffix(text, "MiB"); ok {
			digits, unit = d, mebibyte
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		return n * unit, err == nil && n >= 1 && n <= most/unit
	})
}

// duration accepts a time.Duration of at least a second: tokens count in
// seconds, and a shorter time is probably a forgotten unit.
func duration(to *time.Duration) func(string) error {
	return setter(to, "a duration of at least 1s, such as 90s or 24h", func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= time.Second
	})
}

// brief accepts a time.Duration up to most, also none.
func brief(to *time.Duration, most time.Duration) func(string) error {
	return setter(to, fmt.Sprintf("a duration from 0s to %s, such as 10s", most), func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d >= 0 && d <= most
	})
}

// Budget is a number of things that are allowed at once, and the interval after which
// one more is.
type Budget struct {
	Burst int
	Every time.Duration
}

func budget(to *Budget) func(string) error {
	what := "a number and an interval, from 1,1ms to 1000000,1h, such as 10,30s for ten at once and then one each 30 seconds"
	return setter(to, what, func(text string) (b Budget, ok bool) {
		burst, every, _ := strings.Cut(text, ",")
		var intervalErr error
		countErr := whole(&b.Burst, 1, 1_000_000)(strings.TrimSpace(burst))
		b.Every, intervalErr = time.ParseDuration(strings.TrimSpace(every))
		return b, countErr == nil && intervalErr == nil && b.Every >= time.Millisecond && b.Every <= time.Hour
	})
}

func level(to *slog.Level) func(string) error {
	return setter(to, "debug, info, warn or error", func(text string) (l slog.Level, ok bool) {
		err := l.UnmarshalText([]byte(text))
		return l, err == nil
	})
}

// address accepts a host with a port or, if it is optional, nothing.
func address(to *string, optional bool) func(string) error {
	return setter(to, "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080", func(text string) (string, bool) {
		_, port, err := net.SplitHostPort(text)
		return text, err == nil && isPort(port) || optional && text == ""
	})
}

// serverAddress accepts what address does, and the path of a Unix socket.
func serverAddress(to *string) func(string) error {
	return setter(to, "HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080, or unix:PATH with a path from the root", func(text string) (string, bool) {
		if path, isSocket := strings.CutPrefix(text, "unix:"); isSocket {
			return text, filepath.IsAbs(path)
		}
		return text, address(new(string), false)(text) == nil
	})
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// postgresURL checks the form only. The driver checks the rest, and accepts
// several hosts in one URL, which net/url does not.
func postgresURL(to *Secret) func(string) error {
	return setter(to, "postgres://user:password@host/database or key=value pairs", func(text string) (Secret, bool) {
		scheme, _, isURL := strings.Cut(text, "://")
		isPairs := strings.Contains(text, "=") && (!isURL || strings.Contains(scheme, "="))
		return Secret(text), text == "" || isPairs || isURL && (scheme == "postgres" || scheme == "postgresql")
	})
}

// mailURL checks the form of a server or a directory for mails.
func mailURL(to *Secret) func(string) error {
	return setter(to, "smtp://user:password@host:587, smtps://user:password@host:465 or file:DIR", func(text string) (Secret, bool) {
		if dir, ok := strings.CutPrefix(text, "file:"); ok || text == "" {
			return Secret(text), !ok || dir != ""
		}
		u, err := url.Parse(text)
		ok := err == nil && (u.Scheme == "smtp" || u.Scheme == "smtps") && u.Hostname() != "" && u.RequestURI() == "/" && u.Fragment == ""
		return Secret(text), ok && (u.Port() == "" || isPort(u.Port()))
	})
}

// mailAddress accepts an address with or without a name.
func mailAddress(to *string) func(string) error {
	return setter(to, "an e-mail address such as CareGraph <desk@clinic.example>", func(text string) (string, bool) {
		_, err := mail.ParseAddress(text)
		return text, err == nil || text == ""
	})
}

// publicURL accepts an address without a query, and removes the slash at its end.
func publicURL(to *string) func(string) error {
	return setter(to, "an address such as https://care.clinic.example", func(text string) (string, bool) {
		u, err := url.Parse(text)
		ok := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
		return strings.TrimSuffix(text, "/"), ok || text == ""
	})
}

// each parses the parts of a text between commas, and omits empty parts.
func each[T any](parse func(part string) (T, bool)) func(string) ([]T, bool) {
	return func(text string) (all []T, ok bool) {
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			value, ok := parse(part)
			if !ok {
				return nil, false
			}
			all = append(all, value)
		}
		return all, true
	}
}

func files(to *[]string) func(string) error {
	return setter(to, "files, separated by commas", each(func(name string) (string, bool) { return name, true }))
}

func origins(to *[]string) func(string) error {
	set := setter(to, "scheme://host[:port] without a path, several separated by commas, or * alone", each(origin))
	return func(text string) error {
		err := set(text)
		if err == nil && len(*to) > 1 && slices.Contains(*to, "*") {
			return errors.New("must be * alone or without it")
		}
		return err
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
	return setter(to, "networks such as 10.0.0.0/8 or 2001:db8::/32, separated by commas", each(network))
}

// network accepts a CIDR, or one address as a network of its own. It refuses an
// IPv4 network written as IPv6, which would never match.
func network(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil && !p.Addr().Is4In6()
}
