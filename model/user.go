package model

import (
	"fmt"
	"strings"
	"unicode"
)

// KindUser is the prefix of the ids of accounts.
const KindUser Kind = "usr"

// User is an account. Its password is not part of it: the store gives that to
// the sign-in alone.
type User struct {
	Seen

	ID        int64 `bun:"id,pk,autoincrement"`
	Username  string
	Email     EmailAddress
	Phone     *PhoneNumber
	Role      Role
	CreatedAt DateTime `bun:"created_at,nullzero,default:now()"`
}

// NodeID returns usr_<number>.
func (u *User) NodeID() ID { return ID{KindUser, u.ID} }

// IsNode marks the type as a Node.
func (*User) IsNode() {}

// TypeName is the type's name in the schema.
func (*User) TypeName() string { return "User" }

// FormatPhone returns the phone number in the format, or nil.
func (u *User) FormatPhone(format PhoneFormat) *string { return formatPhone(u.Phone, format) }

// Validate trims the texts and returns every fault at once.
func (u *User) Validate() error {
	var p problems
	p.username("username", &u.Username)
	p.email(&u.Email)
	p.phone("phone", u.Phone)
	return p.err()
}

// ValidateRegistration is Validate for an account that makes itself.
func (u *User) ValidateRegistration() error {
	var p problems
	p.username("username", &u.Username)
	p.email(&u.Email)
	p.phone("phone", u.Phone)
	if u.Role != RolePatient && u.Role != RoleDoctor {
		p.add("role", CodeInvalid, fmt.Sprintf("%q is not a valid choice.", strings.ToLower(string(u.Role))))
	}
	return p.err()
}

func (p *problems) username(field string, value *string) {
	p.text(field, value, maxUsername, true)
	if strings.ContainsFunc(*value, notInUsername) {
		p.add(field, CodeInvalid, "Enter a valid username. It may contain only letters, digits and @ . + - _ characters.")
	}
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
