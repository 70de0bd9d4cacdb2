package auth

import "time"

// Budget is a token bucket: it allows Burst units at once, and then one unit per Every.
type Budget struct {
	Burst int
	Every time.Duration
}

// Budgets are the budgets of a Throttle.
type Budgets struct {
	// Failures are the wrong passwords for one account, or from one device or address
	// from which someone signed in to it; AddressFailures are those from one address.
	Failures, AddressFailures Budget
	// Registrations are those from one address.
	Registrations Budget
	// Taken are the answers TAKEN to one account, AddressTaken those to one address.
	Taken, AddressTaken Budget
	// Resets are the requests of new passwords from one address.
	Resets Budget
	// Codes are the wrong codes of one account, Confirmations the codes that it asks for,
	// and Mails those that anyone can cause to it.
	Codes, Confirmations, Mails Budget
}

// DefaultBudgets leaves an attacker about 2,900 guesses a day at one account, and makes
// an owner who has forgotten the password wait half a minute between tries. The budgets
// of an address are for a whole clinic behind it.
func DefaultBudgets() Budgets {
	return Budgets{
		Failures: Budget{10, 30 * time.Second}, AddressFailures: Budget{100, 2 * time.Second},
		Registrations: Budget{200, time.Second},
		Taken:         Budget{20, 30 * time.Second}, AddressTaken: Budget{50, 30 * time.Second},
		Resets: Budget{20, 30 * time.Second},
		// A code has six digits: so an attacker finds one of a million in decades.
		Codes: Budget{10, 30 * time.Minute}, Confirmations: Budget{1, time.Minute}, Mails: Budget{3, 20 * time.Minute},
	}
}

// budget is a Budget of one account, device or address.
type budget struct {
	Budget

	key     string
	setting string // sets the Budget; empty if none does
	// isOfAddress: it is of a client address, and not of an account or a device.
	isOfAddress bool
}

func (b Budgets) ofAccount(key string) budget {
	return budget{b.Failures, key, "--max-sign-in-failures", false}
}

func (b Budgets) ofAddress(key string) budget {
	return budget{b.AddressFailures, key, "--max-sign-in-failures-per-address", true}
}

func (b Budgets) ofRegistrations(key string) budget {
	return budget{b.Registrations, key, "--max-registrations", true}
}

func (b Budgets) ofTakenToAccount(key string) budget {
	return budget{b.Taken, key, "--max-taken", false}
}

func (b Budgets) ofTakenToAddress(key string) budget {
	return budget{b.AddressTaken, key, "--max-taken-per-address", true}
}

// left returns how many units a budget has.
func (b budget) left(fullAt, now time.Time) int {
	missing := max(0, fullAt.Sub(now))
	return b.Burst - int((missing+b.Every-1)/b.Every)
}

// wait returns the time until a budget has a unit.
func (b budget) wait(fullAt, now time.Time) time.Duration {
	return fullAt.Add(b.Every).Sub(now) - time.Duration(b.Burst)*b.Every
}
