package model

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// KindUser is the prefix of the ids of accounts.
const KindUser Kind = "usr"

// User is an account. It does not contain the password hash; see store.Credential.
type User struct {
	Visible

	ID        int64 `bun:"id,pk,autoincrement"`
	Username  string
	Email     EmailAddress
	Phone     *PhoneNumber
	Role      Role
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
	// IsActive says that the account may sign in, IsConfirmed that it receives mail at
	// Email, and HasTotp that a sign-in needs a second factor.
	IsActive    bool `bun:"is_active,default:true"`
	IsConfirmed bool `bun:"is_confirmed,default:false"`
	HasTotp     bool `bun:"has_totp,default:false"`
}

// NodeID returns usr_<number>.
func (u *User) NodeID() ID { return ID{KindUser, u.ID} }

// Erase removes what is known of the person. The row stays, since records, events and
// history name it.
func (u *User) Erase() {
	u.Username, u.Email, u.Phone = erasedName(u.ID), erasedEmail(u.ID), nil
	u.IsActive, u.IsConfirmed, u.HasTotp = false, false, false
}

// IsErased reports whether Erase was called.
func (u *User) IsErased() bool { return u.Email == erasedEmail(u.ID) }

const erasedPrefix = "erased-"

func erasedName(id int64) string { return erasedPrefix + strconv.FormatInt(id, 10) }

// erasedEmail returns an address without a dot in its domain, which no one can register.
func erasedEmail(id int64) EmailAddress { return EmailAddress(erasedName(id) + "@invalid") }

// IsNode marks the type as a Node.
func (*User) IsNode() {}

// TypeName is the type's name in the schema.
func (*User) TypeName() string { return "User" }

// FormatPhone returns the phone number in the format, or nil.
func (u *User) FormatPhone(format PhoneFormat) *string { return formatPhone(u.Phone, format) }

// Validate trims the texts and returns all errors of the fields together.
func (u *User) Validate(c Constraints) error {
	e := validator{constraints: c}
	e.account(u)
	return e.err()
}

// ValidateRegistration is Validate for an account that a client registers. Its role
// must be PATIENT or DOCTOR.
func (u *User) ValidateRegistration(c Constraints) error {
	e := validator{constraints: c}
	e.account(u)
	if u.Role != RolePatient && u.Role != RoleDoctor {
		e.add("role", CodeInvalid, fmt.Sprintf("%q is not a valid choice.", strings.ToLower(string(u.Role))))
	}
	return e.err()
}

func (e *validator) account(u *User) {
	const username = "username"
	u.Username = normalUsername(u.Username)
	e.text(username, &u.Username)
	if strings.ContainsFunc(u.Username, notInUsername) {
		e.add(username, CodeInvalid, "Enter a valid username. It may contain only letters, digits and @ . + - _ characters.")
	}
	if strings.HasPrefix(UsernameKey(u.Username), erasedPrefix) {
		e.add(username, CodeInvalid, "This name is for erased accounts.")
	}
	e.email(&u.Email)
	e.phone("phone", u.Phone)
}

func notInUsername(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("@.+-_", r)
}

func formatPhone(number *PhoneNumber, format PhoneFormat) *string {
	if number == nil {
		return nil
	}
	text := number.Format(format)
	return &text
}

// AccountFilter has the conditions of accounts. A nil field is no condition.
type AccountFilter struct {
	Role        *Role
	IsActive    *bool
	IsConfirmed *bool
}

// The connection and edge whose nodes are accounts.
type (
	UserEdge       struct{ Edge[*User] }
	UserConnection struct {
		Connection[*UserEdge, *User]
	}
)
