package demo

import (
	"encoding/json"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

// Handler serves GET /demo/people and POST /demo/continue. They exist for programs of this
// machine and for pages of this server alone, and only while the database has no other
// accounts: otherwise they answer 404.
func (c *Clinic) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /demo/people", c.servePeople)
	mux.HandleFunc("POST /demo/continue", c.signIn)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(r) || !isOfOurPage(r) {
			http.NotFound(w, r)
			return
		}
		alone, err := c.isAlone(r.Context())
		switch {
		case err != nil:
			http.Error(w, "The database does not answer.", http.StatusServiceUnavailable)
		case !alone:
			http.NotFound(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// Announce makes the answers of a handler say that there is a demo. So the page asks for
// its people only where they are.
func Announce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-CareGraph-Demo", "1")
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether the other end of the connection is on this machine and asks for
// a name of this machine. A page whose name leads here (DNS rebinding) asks for its own
// name. A proxy that does not say that it asks for others looks like a program of this
// machine.
func isLocal(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && isLoopbackName(r.Host) && !isForwarded(r.Header)
}

// isForwarded reports whether a proxy says that it sends the request for another.
func isForwarded(header http.Header) bool {
	for name := range header {
		switch {
		case name == "Via", name == "Forwarded", name == "X-Real-Ip", strings.HasPrefix(name, "X-Forwarded-"):
			return true
		}
	}
	return false
}

func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// isOfOurPage reports whether the request comes from a page of this server, or from a
// program that is no browser. Another port of this machine is another server.
func isOfOurPage(r *http.Request) bool {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	ours := "http://" + r.Host
	if r.TLS != nil {
		ours = "https://" + r.Host
	}
	return slices.Contains([]string{"", "none", "same-origin"}, site) && (origin == "" || origin == ours)
}

// listed is a person in the answer.
type listed struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	About string `json:"about"`
	Role  string `json:"role"`
}

func (c *Clinic) servePeople(w http.ResponseWriter, _ *http.Request) {
	all := make([]listed, len(c.users))
	for i, p := range people() {
		all[i] = listed{c.id(i), p.name, p.about, p.part}
	}
	write(w, http.StatusOK, all)
}

// id returns the id of the account of a person.
func (c *Clinic) id(person int) string {
	return model.ID{Kind: model.KindUser, Num: c.users[person]}.String()
}

// signedIn is what the sign-in of REST answers.
type signedIn struct {
	Refresh string `json:"refresh"`
	Access  string `json:"access"`
	User    struct {
		ID    int64              `json:"id"`
		Email model.EmailAddress `json:"email"`
		Role  string             `json:"role"`
	} `json:"user"`
}

func (c *Clinic) signIn(w http.ResponseWriter, r *http.Request) {
	// A form of a page of others cannot have this type.
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "Send application/json.")
		return
	}
	var input struct{ ID string }
	if err := json.NewDecoder(r.Body).Decode(&input); err != nil {
		refuse(w, http.StatusBadRequest, "Send the id of a person.")
		return
	}
	user := model.ParseID(input.ID).Of(model.KindUser)
	if !slices.Contains(c.users, user) {
		refuse(w, http.StatusNotFound, "Not found.")
		return
	}
	in, err := c.accounts.SignInAs(r.Context(), user, "Demo")
	switch {
	case model.CodeOf(err) == model.CodeNotFound:
		refuse(w, http.StatusUnauthorized, "This account is disabled.")
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "The database does not answer.")
	default:
		write(w, http.StatusOK, answer(in))
	}
}

func answer(in *auth.SignedIn) (out signedIn) {
	out.Refresh, out.Access = in.Tokens.Refresh, in.Tokens.Access
	out.User.ID, out.User.Email, out.User.Role = in.User.ID, in.User.Email, strings.ToLower(string(in.User.Role))
	return out
}

// refuse answers with an error in the form of REST.
func refuse(w http.ResponseWriter, status int, detail string) {
	write(w, status, map[string]string{"detail": detail})
}

func write(w http.ResponseWriter, status int, body any) {
	text, _ := json.Marshal(body) // texts and numbers always have a JSON form
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may have gone
}
