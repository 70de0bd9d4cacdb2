package store

import "context"

// Submission is what a request says about its changes.
type Submission struct {
	// Touches gives a record a new version although its values stay the same.
	Touches bool
}

type submissionKey struct{}

// WithSubmission returns the context of a request with its submission.
func WithSubmission(ctx context.Context, s *Submission) context.Context {
	return context.WithValue(ctx, submissionKey{}, s)
}

// submissionOf returns the submission of a request, an empty one if it has none.
func submissionOf(ctx context.Context) *Submission {
	if s, ok := ctx.Value(submissionKey{}).(*Submission); ok {
		return s
	}
	return &Submission{}
}
