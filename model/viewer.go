package model

// Relations is a set of relations between a caller and a record, one bit each.
// store/access.go computes it for each row. The column relations of grants has some of
// them, so a bit never gets another meaning.
type Relations uint16

// The relations, named in the schema's enum Relation.
const (
	// Anyone is every caller, even without a token.
	Anyone Relations = 1 << iota
	// SignedIn is every active account.
	SignedIn
	// Self is the account itself; for a doctor entry, the linked account; for a patient,
	// the account of the patient, who claimed the record.
	Self
	// Owner is the account that created the record or took it over; for a mapping, its
	// patient; for a grant, the account that gave it.
	Owner
	// AssignedDoctor is the account of a verified doctor with an active mapping.
	AssignedDoctor
	// Admin is an administrator.
	Admin
	_ // a grant to see one record
	_ // the same with clinical text
	_ // a doctor in an emergency
	// Team is a member of the team of the owner.
	Team
	// TeamClinical is a member who works with clinical text.
	TeamClinical
	// TeamDesk is a member who keeps the records.
	TeamDesk
	// Related is an assigned doctor of a patient that the account created, the account
	// linked to a doctor entry that it created, or the other account of a grant.
	Related
)

// AllRelations has every relation.
const AllRelations = Anyone | SignedIn | Self | Owner | AssignedDoctor | Admin | Team | TeamClinical | TeamDesk | Related

// relationNames is in the order of the bits. A bit without a name is not in use.
var relationNames = [...]string{
	"ANYONE", "SIGNED_IN", "SELF", "OWNER", "ASSIGNED_DOCTOR", "ADMIN", "", "", "", "TEAM", "TEAM_CLINICAL", "TEAM_DESK", "RELATED",
}

// ParseRelation returns the relation with a name of the schema's enum Relation.
func ParseRelation(name string) (Relations, bool) {
	for i, n := range relationNames {
		if n == name && name != "" {
			return 1 << i, true
		}
	}
	return 0, false
}

// Names returns the enum values of the relations in the set.
func (r Relations) Names() []string {
	names := []string{}
	for i, n := range relationNames {
		if r&(1<<i) != 0 && n != "" {
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
	// Grants are the kinds of grants with which the account has to do. They choose the SQL
	// of the access rule and give no right: the SQL reads the grants.
	Grants GrantSet
	// NeedsTotp says that the account must set up a second factor: until then, the session
	// may do nothing else.
	NeedsTotp bool
}

// Operator returns the viewer of an operator's command, who needs no account.
func Operator() *Viewer { return &Viewer{Role: RoleAdmin} }

// IsOperator reports whether the viewer is that of an operator's command.
func (v *Viewer) IsOperator() bool { return v != nil && v.UserID == 0 }

// GrantSet has kinds of grants.
type GrantSet uint8

// The kinds of grants that change the SQL of the access rule.
const (
	// HoldsOne is a grant for one patient that the account holds.
	HoldsOne GrantSet = 1 << iota
	// HoldsTeam is a place in a team.
	HoldsTeam
	// NamedInGrant is any grant that the account gave or was given, in force or not.
	NamedInGrant
)

// Any reports whether the sets have a kind in common.
func (s GrantSet) Any(of GrantSet) bool { return s&of != 0 }

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
