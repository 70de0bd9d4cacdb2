package store

import (
	"context"
	"time"
)

// Submission is what a request says about the change that it asks for. It belongs to one
// change.
type Submission struct {
	// Touches gives a record a new version although its values stay the same.
	Touches bool
	// Key is the Idempotency-Key of the request, "" without one. Content is what a request
	// must repeat to be the same.
	Key     string
	Content []byte
	// Replayed is set if an earlier request with the key has made the change.
	Replayed bool

	// account and hash are those of the row of requests; hash is nil before once.
	account int64
	hash    []byte
	// kept says that the transaction of the change stores the row.
	kept bool
	// asks says that the request only asks for the version of a record.
	asks bool
}

type submissionKey struct{}

// WithSubmission returns the context of a request with its submission.
func WithSubmission(ctx context.Context, s *Submission) context.Context {
	return context.WithValue(ctx, submissionKey{}, s)
}

// SubmissionOf returns the submission of a request, nil without one.
func SubmissionOf(ctx context.Context) *Submission {
	s, _ := ctx.Value(submissionKey{}).(*Submission)
	return s
}

// submissionOf is SubmissionOf with an empty submission in place of nil.
func submissionOf(ctx context.Context) *Submission {
	if s := SubmissionOf(ctx); s != nil {
		return s
	}
	return &Submission{}
}

// keeps reports whether the change that runs is under once and must store its key.
func (s *Submission) keeps() bool { return s.hash != nil }

// waits returns how long the change may wait for a row, or the usual time.
func (s *Submission) waits(usual time.Duration) time.Duration {
	if s.keeps() {
		return requestLockTimeout
	}
	return usual
}
