package model

// MailKind says what a mail is about. internal/mail/texts has a text for each kind.
type MailKind string

// The kinds of mails.
const (
	// MailConfirmEmail has the data "code" and "token".
	MailConfirmEmail MailKind = "CONFIRM_EMAIL"
	// MailResetPassword has the data "token".
	MailResetPassword MailKind = "RESET_PASSWORD"
	// MailAlreadyRegistered says that someone wanted to register the address again.
	MailAlreadyRegistered MailKind = "ALREADY_REGISTERED"
	// MailNewDevice may have the data "address".
	MailNewDevice       MailKind = "NEW_DEVICE"
	MailPasswordChanged MailKind = "PASSWORD_CHANGED"
	MailTotpOff         MailKind = "TOTP_OFF"
)

// MailKinds returns all kinds.
func MailKinds() []MailKind {
	return []MailKind{MailConfirmEmail, MailResetPassword, MailAlreadyRegistered, MailNewDevice, MailPasswordChanged, MailTotpOff}
}

// ForUnconfirmed reports whether a mail of this kind goes to an address that its account
// has not confirmed.
func (k MailKind) ForUnconfirmed() bool { return k == MailConfirmEmail || k == MailAlreadyRegistered }
