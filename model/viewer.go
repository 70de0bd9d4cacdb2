package model

// Relations says how a caller stands to a record: one bit for each relation,
// and one caller may have several to one record. The bits are stored nowhere;
// store/access.go computes them.
type Relations uint8

// The relations, named in the schema's enum Relation.
const (
	// Anyone is every caller, even without a token.
	Anyone Relations = 1 << iota
	// SignedIn is every active account.
	SignedIn
	// Self is the account itself; for a doctor entry, the account linked to it.
	Self
	// Owner is the account that created the record; for a mapping, the owner
	// of its patient.
	Owner
	// AssignedDoctor is the account of a verified doctor entry that has an
	// active mapping to the patient.
	AssignedDoctor
	// Admin is an administrator.
	Admin
)

// AllRelations has every relation.
const AllRelations = Admin<<1 - 1

// relationNames is in the order of the bits.
var relationNames = [...]string{"ANYONE", "SIGNED_IN", "SELF", "OWNER", "ASSIGNED_DOCTOR", "ADMIN"}

// ParseRelation returns the bit of a value of the schema's enum Relation.
func ParseRelation(name string) (Relations, bool) {
	for i, n := range relationNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Names returns the enum values of the bits that are set.
func (r Relations) Names() []string {
	names := []string{}
	for i, n := range relationNames {
		if r&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// Any reports whether r and mask have a relation in common: whether a caller
// who stands in r is admitted by mask.
func (r Relations) Any(mask Relations) bool { return r&mask != 0 }

// Within reports whether everybody admitted by r is admitted by mask.
func (r Relations) Within(mask Relations) bool { return r&^mask == 0 }

// Viewer is the account on whose behalf something is read or written. A nil
// *Viewer is a caller without a valid token: it sees no row.
type Viewer struct {
	UserID int64
	Role   Role
	// SessionID is the session whose access token was presented.
	SessionID string
}

// Relations returns what the viewer is to every record, whichever it is.
func (v *Viewer) Relations() Relations {
	switch {
	case v == nil:
		return Anyone
	case v.Role == RoleAdmin:
		return Anyone | SignedIn | Admin
	default:
		return Anyone | SignedIn
	}
}
