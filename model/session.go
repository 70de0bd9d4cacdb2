package model

import "strings"

// KindSession is the prefix of the ids of sessions.
const KindSession Kind = "ses"

// LiveSession is a sign-in on one device that has not ended: Session in the schema.
type LiveSession struct {
	Visible

	ID int64 `bun:"id,pk"`
	// SessionID is the session in tokens.
	SessionID string
	AccountID int64
	CreatedAt DateTime
	// LastSeenAt is when it was last used, to a quarter of an hour.
	LastSeenAt DateTime
	ExpiresAt  DateTime
	// Client is what the client said it is; Address is that of the sign-in.
	Client, Address *string
}

// NodeID returns ses_<number>.
func (s *LiveSession) NodeID() ID { return ID{KindSession, s.ID} }

// IsNode marks the type as a Node.
func (*LiveSession) IsNode() {}

// TypeName is the type's name in the schema.
func (*LiveSession) TypeName() string { return "Session" }

// The connection and edge whose nodes are sessions.
type (
	SessionEdge       struct{ Edge[*LiveSession] }
	SessionConnection struct {
		Connection[*SessionEdge, *LiveSession]
	}
)

// maxClient is the longest text of a client about itself.
const maxClient = 100

// CheckClient returns what a client says it is, nil for nothing. It returns INVALID and
// TOO_LONG.
func CheckClient(text *string) (*string, error) {
	if text == nil || strings.TrimSpace(*text) == "" {
		return nil, nil //nolint:nilnil // it says nothing
	}
	client, e := *text, validator{constraints: Constraints{"client": {Max: maxClient}}}
	e.text("client", &client)
	return &client, e.err()
}
