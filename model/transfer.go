package model

// KindTransfer is the prefix of the ids of transfers.
const KindTransfer Kind = "trf"

// Transfer offers patients of one account to another, which becomes their owner when it
// accepts.
type Transfer struct {
	Visible

	ID     int64 `bun:"id,pk,autoincrement"`
	FromID int64
	ToID   int64
	// Sender is the username of the account that they come from, which the receiver may
	// not see in another way.
	Sender       string
	PatientCount int
	Reason       string
	// OfferedBy is the account that offers, nil for an operator.
	OfferedBy *int64
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
	ExpiresAt DateTime
	// NeedsApproval says that a second administrator must approve it.
	NeedsApproval bool
	ApprovedBy    *int64
	ApprovedAt    *DateTime
	AcceptedAt    *DateTime
}

// NodeID returns trf_<number>.
func (t *Transfer) NodeID() ID { return ID{KindTransfer, t.ID} }

// IsNode marks the type as a Node.
func (*Transfer) IsNode() {}

// TypeName is the type's name in the schema.
func (*Transfer) TypeName() string { return "Transfer" }

// The connection and edge whose nodes are transfers.
type (
	TransferEdge       struct{ Edge[*Transfer] }
	TransferConnection struct {
		Connection[*TransferEdge, *Transfer]
	}
)
