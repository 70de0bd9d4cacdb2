package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// outcome is the meaning of a code in HTTP.
type outcome struct {
	status int
	// inField says that an error with a field of the body is reported at that
	// field, with status 400. An error with status 400 and without a field goes
	// to non_field_errors.
	inField bool
}

// outcomeOf knows all codes of the schema's enums ErrorCode and UserErrorCode.
// Codes that a client can do nothing about are 500: the documents are ours.
func outcomeOf(code string) (o outcome, known bool) {
	switch code {
	case "REQUIRED", "INVALID", "TOO_LONG", "TAKEN", "WEAK_PASSWORD":
		return outcome{http.StatusBadRequest, true}, true
	case "ALREADY_ASSIGNED", "BAD_USER_INPUT", "IN_USE":
		return outcome{status: http.StatusBadRequest}, true
	case "INVALID_CREDENTIALS":
		return outcome{http.StatusUnauthorized, true}, true
	case "UNAUTHENTICATED", "INVALID_TOKEN", "OTP_REQUIRED", "INVALID_CODE":
		return outcome{status: http.StatusUnauthorized}, true
	case "FORBIDDEN", "FORBIDDEN_FIELD", "NOT_CONFIRMED", "LIMIT_REACHED":
		return outcome{status: http.StatusForbidden}, true
	case "NOT_FOUND", "DELETED":
		return outcome{http.StatusNotFound, true}, true
	case "VERSION_CONFLICT":
		return outcome{status: http.StatusPreconditionFailed}, true
	case "LIMIT_EXCEEDED":
		return outcome{status: http.StatusRequestEntityTooLarge}, true
	case "TOO_MANY_ATTEMPTS", "RATE_LIMITED":
		return outcome{status: http.StatusTooManyRequests}, true
	case "REQUEST_IN_PROGRESS":
		return outcome{status: http.StatusConflict}, true
	case "IDEMPOTENCY_KEY_REUSED":
		return outcome{status: http.StatusUnprocessableEntity}, true
	case "UNAVAILABLE":
		return outcome{status: http.StatusServiceUnavailable}, true
	case codeInternal, "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "INVALID_CURSOR",
		"PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_ONLY":
		return outcome{status: http.StatusInternalServerError}, true
	default:
		return outcome{status: http.StatusInternalServerError}, false
	}
}

const codeInternal = "INTERNAL"

// errorAnswer answers a response with errors by the first of them. It never
// sends data that came with the errors.
func errorAnswer(ctx context.Context, exec graphql.GraphExecutor, response *graphql.Response) *answer {
	err := response.Errors[0]
	code := codeOf(err)
	if o, _ := outcomeOf(code); o.status == http.StatusInternalServerError && code != codeInternal {
		// The texts of these errors are for authors of documents.
		return internalError(ctx, exec, errors.New("a REST document failed with "+code))
	}
	if code == "UNAUTHENTICATED" {
		return unauthenticated(err)
	}
	refused := answerForCode(code, err.Message, retryAfter(response))
	if code == codeInternal {
		refused.body = object{{"detail", err.Message}, {"request_id", err.Extensions["requestId"]}}
	}
	return refused
}

// internalError answers our own errors as the executor does: it logs the error
// and sends only the request id.
func internalError(ctx context.Context, exec graphql.GraphExecutor, err error) *answer {
	return errorAnswer(ctx, exec, exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}))
}

// answerForCode returns the answer that refuses the whole request with the
// code.
func answerForCode(code, message string, retryAfter int) *answer {
	o, _ := outcomeOf(code)
	if o.status == http.StatusNotFound {
		return notFound() // the answer does not reveal that the record was deleted
	}
	body := object{{"detail", message}}
	switch code {
	case "INVALID_TOKEN":
		body = append(body, member{"code", tokenNotValid})
	case "OTP_REQUIRED":
		body = append(body, member{"code", "otp_required"})
	case "INVALID_CODE":
		body = append(body, member{"code", "otp_not_valid"})
	}
	refused := &answer{status: o.status, body: body}
	if o.status == http.StatusTooManyRequests || o.status == http.StatusConflict {
		refused.retryAfter = max(retryAfter, 1)
	}
	return refused
}

// retryAfter returns after how many seconds the request may succeed, or 0. A payload
// with user errors says it in the extensions of the response, an error in its own.
func retryAfter(response *graphql.Response) int {
	longest, _ := response.Extensions["retryAfter"].(int)
	for _, err := range response.Errors {
		seconds, _ := err.Extensions["retryAfter"].(int)
		longest = max(longest, seconds)
	}
	return longest
}

func codeOf(err *gqlerror.Error) string { return fmt.Sprint(err.Extensions["code"]) }

func reasonOf(err *gqlerror.Error) string { return fmt.Sprint(err.Extensions["reason"]) }

const (
	tokenNotValid = "token_not_valid"
	// tokenMissing is the reason of a request without a token.
	tokenMissing = "TOKEN_MISSING"
	// badHeader is the message that is about the header and not about a token.
	badHeader = "Authorization header must contain two space-delimited values"
)

// lacksCredentials reports whether the request had no access token.
func lacksCredentials(err *gqlerror.Error) bool {
	return codeOf(err) == "UNAUTHENTICATED" && reasonOf(err) == tokenMissing
}

// unauthenticated says why the request has no caller, in the keys by which
// clients decide whether to refresh their token.
func unauthenticated(err *gqlerror.Error) *answer {
	body := object{{"detail", err.Message}}
	switch reason := strings.TrimSuffix(err.Message, "."); {
	case reasonOf(err) == tokenMissing:
	case reason == badHeader:
		body = object{{"detail", reason}, {"code", "bad_authorization_header"}}
	default:
		body = object{
			{"detail", "Given token not valid for any token type"},
			{"code", tokenNotValid},
			{"messages", []any{object{
				{"token_class", "AccessToken"}, {"token_type", "access"}, {"message", reason},
			}}},
		}
	}
	return &answer{status: http.StatusUnauthorized, body: body}
}
