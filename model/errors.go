package model

import (
	"errors"
	"strconv"
	"strings"
)

// Code is the machine-readable reason of an error. The constants are the values of
// the enums UserErrorCode and ErrorCode of the schema. No other code is sent.
type Code string

// UserErrorCode: errors of a mutation that the caller can fix.
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
	CodeInUse              Code = "IN_USE"
	CodeOtpRequired        Code = "OTP_REQUIRED"
	CodeInvalidCode        Code = "INVALID_CODE"
	CodeNotConfirmed       Code = "NOT_CONFIRMED"
	CodeLimitReached       Code = "LIMIT_REACHED"
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
	CodeKeyReused              Code = "IDEMPOTENCY_KEY_REUSED"
	CodeInProgress             Code = "REQUEST_IN_PROGRESS"
	CodeUnavailable            Code = "UNAVAILABLE"
	CodeInternal               Code = "INTERNAL"
)

// Error is an error for the caller. Its texts never contain patient data. Every
// other error is internal and is not sent.
type Error struct {
	Code    Code
	Message string
	// Fields are the errors of single input fields, in the order of the schema.
	Fields []FieldError
	// RetryAfter is the time in seconds until a retry may succeed; 0 if none does.
	RetryAfter int
}

// FieldError is one error of one input field or argument, by its GraphQL name.
type FieldError struct {
	Field   string
	Code    Code
	Message string
	Params  []ErrorParam
}

// InvalidCode returns the error of a code or a token in a field.
func InvalidCode(field string) *Error {
	return NewFieldError(field, CodeInvalidCode, "This code is wrong, has expired or was used before.")
}

// ErrorParam is a value in the message of an error, for clients that write messages of
// their own. It never contains what the caller sent.
type ErrorParam struct{ Name, Value string }

// IntParam returns the param of a number.
func IntParam(name string, value int) ErrorParam { return ErrorParam{name, strconv.Itoa(value)} }

func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Message
	for _, f := range e.Fields {
		text += "; " + f.Field + ": " + f.Message
	}
	return text
}

// NewError returns an error without a field.
func NewError(code Code, message string) *Error {
	return &Error{Code: code, Message: message}
}

// RateLimited returns a refusal with the code RATE_LIMITED. The same request may
// succeed after the given number of seconds, at least one.
func RateLimited(message string, seconds int) *Error {
	return &Error{Code: CodeRateLimited, Message: message, RetryAfter: max(seconds, 1)}
}

// NewFieldError returns an error about one field.
func NewFieldError(field string, code Code, message string) *Error {
	return &Error{Code: code, Message: message, Fields: []FieldError{{Field: field, Code: code, Message: message}}}
}

// CodeOf returns the code of the *Error in err's chain, CodeInternal for any other
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

// fieldErrors collects all errors of an input, so that a client gets them at once.
type fieldErrors []FieldError

func (p *fieldErrors) add(field string, code Code, message string, params ...ErrorParam) {
	*p = append(*p, FieldError{field, code, message, params})
}

// err returns nil if there are no errors.
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
