package limits

import (
	"context"
	"fmt"
	"sync"

	"github.com/caregraph/caregraph/model"
)

// Answers bounds the bytes of answers: of each one, and of those that are in memory
// until their clients have read them. It is safe for concurrent use.
type Answers struct {
	// One bounds an answer, Account the answers of an account that are in memory, and All
	// those of all accounts.
	One, Account, All int64

	mu       sync.Mutex
	all      int64
	accounts map[int64]int64
	requests map[any]int64
}

// Bytes of the default bounds, and those of an answer that do not count: almost all
// answers are smaller, and cost nothing here.
const (
	DefaultAnswer         = 16 << 20
	DefaultAnswersAccount = 48 << 20
	DefaultAnswersAll     = 96 << 20
	smallAnswer           = 256 << 10
)

// Answer counts the bytes of one answer. Its zero value counts nothing.
type Answer struct {
	answers *Answers
	ctx     context.Context // its end frees the bytes
	request any
	account int64
	// rows are the bytes of rows, and reserved those that count in memory.
	rows, reserved int64
	counts         bool
}

// Begin returns the count of an answer to a request, which any pointer identifies. The
// bytes are free when the context ends, or when the next answer to the request counts.
func (a *Answers) Begin(ctx context.Context, request any, account int64) *Answer {
	return &Answer{answers: a, ctx: ctx, request: request, account: account}
}

// Add counts bytes of rows: once as rows and once as the JSON that they become. It
// returns LIMIT_EXCEEDED for an answer that is too long, and RATE_LIMITED if too many
// bytes are in memory.
func (a *Answer) Add(bytes int) error {
	if a.answers == nil {
		return nil
	}
	a.rows += int64(bytes)
	if a.rows > a.answers.One {
		return a.answers.tooLong()
	}
	return a.reserve(2 * a.rows)
}

// Grow counts the JSON so far. It returns how long it may become before it must be
// counted again, and the errors of Add.
func (a *Answer) Grow(length int) (room int, err error) {
	if a.answers == nil {
		return 1 << 62, nil
	}
	if int64(length) > a.answers.One {
		return 0, a.answers.tooLong()
	}
	if a.rows+int64(length) <= smallAnswer {
		return int(smallAnswer - a.rows), nil
	}
	next := int64(length) + smallAnswer
	if err := a.reserve(a.rows + next); err != nil {
		return 0, err
	}
	return int(min(max(next, a.reserved-a.rows), a.answers.One)), nil
}

// Sent leaves only the JSON in memory.
func (a *Answer) Sent(length int) {
	if a.reserved > int64(length) {
		a.answers.mu.Lock()
		defer a.answers.mu.Unlock()
		a.answers.add(a, int64(length)-a.reserved)
	}
}

func (a *Answers) tooLong() error {
	return model.NewError(model.CodeLimitExceeded,
		fmt.Sprintf("The answer is longer than the %d bytes that --max-answer allows. Ask for fewer records or fields.", a.One))
}

// reserve counts the answer with the bytes in memory. An answer that is refused has none
// there any more: others of the same request or account may wait for them.
func (a *Answer) reserve(bytes int64) error {
	if bytes <= max(a.reserved, smallAnswer) {
		return nil
	}
	all := a.answers
	all.mu.Lock()
	defer all.mu.Unlock()
	if !a.counts {
		a.counts = true
		all.begin(a)
	}
	more := bytes - a.reserved
	switch {
	case all.accounts[a.account]+more > all.Account:
		all.add(a, -a.reserved)
		return model.RateLimited(fmt.Sprintf("Your answers take more memory than the %d bytes that --max-answers-per-account allows. "+
			"Read them before you ask for more.", all.Account), 1)
	case all.all+more > all.All:
		all.add(a, -a.reserved)
		return model.RateLimited(fmt.Sprintf("All answers take more memory than the %d bytes that --max-answers allows. Please try again.", all.All), 1)
	}
	all.add(a, more)
	return nil
}

// begin frees the bytes of the request's answer before this one.
func (a *Answers) begin(answer *Answer) {
	if a.requests == nil {
		a.requests, a.accounts = map[any]int64{}, map[int64]int64{}
	}
	before, known := a.requests[answer.request]
	if !known {
		a.requests[answer.request] = 0
		context.AfterFunc(answer.ctx, func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.free(answer.request, answer.account)
			delete(a.requests, answer.request)
		})
	}
	if before > 0 {
		a.free(answer.request, answer.account)
	}
}

func (a *Answers) free(request any, account int64) {
	a.change(account, -a.requests[request])
	a.requests[request] = 0
}

func (a *Answers) add(answer *Answer, bytes int64) {
	answer.reserved += bytes
	a.requests[answer.request] += bytes
	a.change(answer.account, bytes)
}

func (a *Answers) change(account, bytes int64) {
	a.all += bytes
	if a.accounts[account] += bytes; a.accounts[account] == 0 {
		delete(a.accounts, account)
	}
}
