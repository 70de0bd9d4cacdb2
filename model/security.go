package model

// KindSecurityEvent is the prefix of the ids of security events.
const KindSecurityEvent Kind = "evt"

// SecurityEvent is something that happened to an account.
type SecurityEvent struct {
	Visible

	ID   int64    `bun:"id,pk,autoincrement"`
	At   DateTime `bun:"at,nullzero,default:now()"`
	Kind SecurityEventKind
	// AccountID is the account that it happened to, nil if there is none.
	AccountID *int64
	// ByID is the account that did it, nil for the server and an operator.
	ByID *int64
	// Subject is the id of another record that it is about, as clients see it.
	Subject *string
	// Client is what the client said it is; "cli" for the commands of an operator.
	Client *string
	// Address is the network address of the client.
	Address *string
	// Reason is why an administrator or an operator did it.
	Reason *string
	// Count is how often it happened within a minute, for events that repeat.
	Count int `bun:"count,nullzero,default:1"`
}

// NodeID returns evt_<number>.
func (e *SecurityEvent) NodeID() ID { return ID{KindSecurityEvent, e.ID} }

// IsNode marks the type as a Node.
func (*SecurityEvent) IsNode() {}

// TypeName is the type's name in the schema.
func (*SecurityEvent) TypeName() string { return "SecurityEvent" }

// SecurityEventKind says what happened.
type SecurityEventKind string

// The kinds of security events.
const (
	EventSignIn           SecurityEventKind = "SIGN_IN"
	EventSignInFailed     SecurityEventKind = "SIGN_IN_FAILED"
	EventSignInThrottled  SecurityEventKind = "SIGN_IN_THROTTLED"
	EventRefreshReused    SecurityEventKind = "REFRESH_REUSED"
	EventSignOut          SecurityEventKind = "SIGN_OUT"
	EventSessionEnded     SecurityEventKind = "SESSION_ENDED"
	EventPasswordChanged  SecurityEventKind = "PASSWORD_CHANGED"
	EventPasswordReset    SecurityEventKind = "PASSWORD_RESET"
	EventEmailConfirmed   SecurityEventKind = "EMAIL_CONFIRMED"
	EventTotpEnabled      SecurityEventKind = "TOTP_ENABLED"
	EventTotpDisabled     SecurityEventKind = "TOTP_DISABLED"
	EventDoctorVerified   SecurityEventKind = "DOCTOR_VERIFIED"
	EventDoctorUnverified SecurityEventKind = "DOCTOR_UNVERIFIED"
	EventDoctorLinked     SecurityEventKind = "DOCTOR_LINKED"
	EventDoctorUnlinked   SecurityEventKind = "DOCTOR_UNLINKED"
	EventAccountCreated   SecurityEventKind = "ACCOUNT_CREATED"
	EventAccountDisabled  SecurityEventKind = "ACCOUNT_DISABLED"
	EventAccountEnabled   SecurityEventKind = "ACCOUNT_ENABLED"
	EventAccountErased    SecurityEventKind = "ACCOUNT_ERASED"
	EventRoleChanged      SecurityEventKind = "ROLE_CHANGED"
	EventTransferOffered  SecurityEventKind = "TRANSFER_OFFERED"
	EventTransferApproved SecurityEventKind = "TRANSFER_APPROVED"
	EventTransferred      SecurityEventKind = "PATIENTS_TRANSFERRED"
	EventGrantOffered     SecurityEventKind = "GRANT_OFFERED"
	EventGrantAccepted    SecurityEventKind = "GRANT_ACCEPTED"
	EventGrantEnded       SecurityEventKind = "GRANT_ENDED"
	EventAccountsListed   SecurityEventKind = "ACCOUNTS_LISTED"
)

// The connection and edge whose nodes are security events.
type (
	SecurityEventEdge       struct{ Edge[*SecurityEvent] }
	SecurityEventConnection struct {
		Connection[*SecurityEventEdge, *SecurityEvent]
	}
)
