package model

// Relations is a set of relations between a caller and a record, one bit each.
// store/access.go computes it for each row; no table has it.
type Relations uint8

// The relations, named in the schema's enum Relation.
const (
	// Anyone is every caller, even without a token.
	Anyone Relations = 1 << iota
	// SignedIn is every active account.
	SignedIn
	// Self is the account itself; for a doctor entry, the linked account.
	Self
	// Owner is the account that created the record; for a mapping, its patient.
	Owner
	// AssignedDoctor is the account of a verified doctor with an active mapping.
	AssignedDoctor
	// Related is an assigned doctor of a patient that the account created, or the account
	// linked to a doctor entry that it created.
	Related
	// Admin is an administrator.
	Admin
)

// AllRelations has every relation.
const AllRelations = Admin<<1 - 1

// relationNames is in the order of the bits.
var relationNames = [...]string{"ANYONE", "SIGNED_IN", "SELF", "OWNER", "ASSIGNED_DOCTOR", "RELATED", "ADMIN"}

// ParseRelation returns the relation with a name of the schema's enum Relation.
func ParseRelation(name string) (Relations, bool) {
	for i, n := range relationNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Names returns the enum values of the relations in the set.
func (r Relations) Names() []string {
	names := []string{}
	for i, n := range relationNames {
		if r&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// Any reports whether r and mask have a relation in common: the mask admits r.
func (r Relations) Any(mask Relations) bool { return r&mask != 0 }

// Within reports whether mask has all relations of r.
func (r Relations) Within(mask Relations) bool { return r&^mask == 0 }

// Viewer is the account that a request acts for. A nil *Viewer is a caller without a
// valid token and sees no rows.
type Viewer struct {
	UserID int64
	Role   Role
	// SessionID is the session of the access token.
	SessionID string
}

// Operator returns the viewer of an operator's command, who needs no account.
func Operator() *Viewer { return &Viewer{Role: RoleAdmin} }

// IsOperator reports whether the viewer is that of an operator's command.
func (v *Viewer) IsOperator() bool { return v != nil && v.UserID == 0 }

// Relations returns the relations that the viewer has to every record.
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
