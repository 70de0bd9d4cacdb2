package model

import (
	"errors"
	"strings"
)

// Code says what went wrong, for programs. The two lists below are the enums
// UserErrorCode and ErrorCode of the schema; no other code is ever sent.
type Code string

// UserErrorCode: what a caller can mend in a mutation.
const (
	CodeRequired           Code = "REQUIRED"
	CodeInvalid            Code = "INVALID"
	CodeTooLong            Code = "TOO_LONG"
	CodeTaken              Code = "TAKEN"
	CodeNotFound           Code = "NOT_FOUND"
	CodeForbidden          Code = "FORBIDDEN"
	CodeVersionConflict    Code = "VERSION_CONFLICT"
	CodeAlreadyAssigned    Code = "ALREADY_ASSIGNED"
	CodeDeleted            Code = "DELETED"
	CodeInvalidCredentials Code = "INVALID_CREDENTIALS" //nolint:gosec // G101: a code, not a credential
	CodeTooManyAttempts    Code = "TOO_MANY_ATTEMPTS"
	CodeWeakPassword       Code = "WEAK_PASSWORD"
	CodeInvalidToken       Code = "INVALID_TOKEN"
)

// ErrorCode: extensions.code of a top-level error. FORBIDDEN is in both lists.
const (
	CodeParseFailed            Code = "GRAPHQL_PARSE_FAILED"
	CodeValidationFailed       Code = "GRAPHQL_VALIDATION_FAILED"
	CodeBadUserInput           Code = "BAD_USER_INPUT"
	CodeUnauthenticated        Code = "UNAUTHENTICATED"
	CodeForbiddenField         Code = "FORBIDDEN_FIELD"
	CodeInvalidCursor          Code = "INVALID_CURSOR"
	CodeLimitExceeded          Code = "LIMIT_EXCEEDED"
	CodeRateLimited            Code = "RATE_LIMITED"
	CodePersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
	CodePersistedQueryOnly     Code = "PERSISTED_QUERY_ONLY"
	CodeUnavailable            Code = "UNAVAILABLE"
	CodeInternal               Code = "INTERNAL"
)

// Error is a refusal that the caller is told about, in words that never hold
// patient data. Every other error is a fault of ours and stays inside.
type Error struct {
	Code    Code
	Message string
	// Fields names each part of the input that is at fault, in the order of
	// the schema. It is empty when the fault is with none of them.
	Fields []FieldError
	// RetryAfter is how many seconds to wait before another try; 0 if waiting
	// does not help.
	RetryAfter int
}

// FieldError is one fault of one input field or argument, by its GraphQL name.
type FieldError struct {
	Field   string
	Code    Code
	Message string
}

func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Message
	for _, f := range e.Fields {
		text += "; " + f.Field + ": " + f.Message
	}
	return text
}

// NewError returns an error that concerns no single field.
func NewError(code Code, message string) *Error {
	return &Error{Code: code, Message: message}
}

// NewFieldError returns an error about one field.
func NewFieldError(field string, code Code, message string) *Error {
	return &Error{Code: code, Message: message, Fields: []FieldError{{field, code, message}}}
}

// CodeOf returns the code of the *Error within err, CodeInternal for any other
// error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// fieldErrors gathers every fault of an input, so that all are told at once.
type fieldErrors []FieldError

func (p *fieldErrors) add(field string, code Code, message string) {
	*p = append(*p, FieldError{field, code, message})
}

// err returns nil when nothing was found.
func (p fieldErrors) err() error {
	if len(p) == 0 {
		return nil
	}
	messages := make([]string, len(p))
	for i, f := range p {
		messages[i] = f.Message
	}
	return &Error{Code: p[0].Code, Message: strings.Join(messages, " "), Fields: p}
}
