package httpd

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddr walks from the peer towards the client and stops at the first
// address that is not a trusted proxy: anyone could have written the entries to
// its left. An entry that is not an address also ends the walk, at the proxy
// that sent it. A peer without an address is never trusted.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := peer(r)
	if len(trusted) == 0 {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !isTrusted(addr, trusted) {
			break
		}
		next, ok := parseAddr(strings.TrimSpace(hop))
		if !ok {
			break
		}
		addr = next
	}
	return addr
}

// peer returns the other end of the connection. At a Unix socket that is 127.0.0.1: only
// programs of this machine can connect.
func peer(r *http.Request) netip.Addr {
	addr, ok := parseAddr(r.RemoteAddr)
	if _, isSocket := r.Context().Value(http.LocalAddrContextKey).(*net.UnixAddr); !ok && isSocket {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return addr
}

// looksProxied reports whether the request seems to come from a proxy of the operator.
func looksProxied(r *http.Request) bool {
	if r.Header["X-Forwarded-For"] == nil {
		return false
	}
	peer := peer(r)
	return peer.IsPrivate() || peer.IsLoopback() || peer.IsLinkLocalUnicast()
}

// parseAddr reads an address with or without port; some proxies add a port.
func parseAddr(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		both, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = both.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}
