package model

// KindNotice is the prefix of the ids of notices.
const KindNotice Kind = "ntc"

// Notice tells an account what others did that concerns it.
type Notice struct {
	Visible

	ID        int64 `bun:"id,pk,autoincrement"`
	AccountID int64
	At        DateTime `bun:"at,nullzero,default:now()"`
	Kind      NoticeKind
	// PatientID is the record that it is about, nil if there is none.
	PatientID *int64
	// ByID is the account that did it, nil for the server and an operator.
	ByID *int64
	// ReadAt is when the account has read it, nil before.
	ReadAt *DateTime
}

// NodeID returns ntc_<number>.
func (n *Notice) NodeID() ID { return ID{KindNotice, n.ID} }

// IsNode marks the type as a Node.
func (*Notice) IsNode() {}

// TypeName is the type's name in the schema.
func (*Notice) TypeName() string { return "Notice" }

// NoticeKind says what happened.
type NoticeKind string

// The kinds of notices.
const (
	NoticeNewDevice        NoticeKind = "NEW_DEVICE"
	NoticePasswordChanged  NoticeKind = "PASSWORD_CHANGED"
	NoticeRecordClaimed    NoticeKind = "RECORD_CLAIMED"
	NoticeGrantOffered     NoticeKind = "GRANT_OFFERED"
	NoticeGrantEnded       NoticeKind = "GRANT_ENDED"
	NoticeTransferOffered  NoticeKind = "TRANSFER_OFFERED"
	NoticeMappingsEnded    NoticeKind = "MAPPINGS_ENDED"
	NoticeDoctorUnverified NoticeKind = "DOCTOR_UNVERIFIED"
)

// The connection and edge whose nodes are notices.
type (
	NoticeEdge       struct{ Edge[*Notice] }
	NoticeConnection struct {
		Connection[*NoticeEdge, *Notice]
	}
)
