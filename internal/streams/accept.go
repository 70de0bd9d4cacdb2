package streams

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/model"
)

// subprotocol is the one that we speak.
const subprotocol = "graphql-transport-ws"

// Sockets is the transport of WebSockets. It returns once the connection has changed its
// protocol.
type Sockets struct {
	*Streams

	// HTTP is the transport of single operations, which reads those of sockets, too.
	HTTP gqlhttp.Transport
}

var _ graphql.Transport = Sockets{}

// Supports reports whether a client asks for a WebSocket.
func (Sockets) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet && hasToken(r.Header, "Connection", "upgrade") && hasToken(r.Header, "Upgrade", "websocket")
}

// hasToken reports whether a header lists a name.
func hasToken(header http.Header, name, token string) bool {
	for _, value := range header[name] {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// Do changes the protocol of a connection.
func (s Sockets) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	if !s.isAllowed(r) {
		gqlhttp.WriteError(w, r, http.StatusForbidden, string(model.CodeForbidden), "Pages of this origin may not connect: see --cors-origins.")
		return
	}
	if s.refused(w, r) {
		return
	}
	conn, err := websocket.Accept(smallBuffers{w}, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	go s.newSocket(conn, httpd.NewStream(r.Context(), s.RequestTimeout), exec.(graph.Executor)).run()
}

// refused answers a request that begins a stream while there are too many of them.
func (s *Streams) refused(w http.ResponseWriter, r *http.Request) bool {
	seconds := s.admit(httpd.ClientAddr(r.Context()))
	if seconds == 0 {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	gqlhttp.WriteError(w, r, http.StatusServiceUnavailable, string(model.CodeUnavailable), "Too many clients connect now. Please try again.")
	return true
}

// isAllowed reports whether the page that connects may do so. Other clients than browsers
// send no origin.
func (s *Streams) isAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.Origins, "*") || slices.Contains(s.Origins, origin) {
		return true
	}
	page, err := url.Parse(origin)
	return err == nil && page.Host != "" && strings.EqualFold(page.Host, r.Host)
}
