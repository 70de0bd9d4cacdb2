package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// outcome is what a code means over HTTP.
type outcome struct {
	status int
	// inField says that a fault with a field of the body is told there, and is
	// 400 then. A fault with status 400 and no field is in non_field_errors.
	inField bool
}

// outcomeOf has all codes of the schema's enums ErrorCode and UserErrorCode.
// Those that a client can do nothing about are 500: the documents are ours.
func outcomeOf(code string) (o outcome, known bool) {
	switch code {
	case "REQUIRED", "INVALID", "TOO_LONG", "TAKEN", "WEAK_PASSWORD":
		return outcome{http.StatusBadRequest, true}, true
	case "ALREADY_ASSIGNED", "BAD_USER_INPUT":
		return outcome{status: http.StatusBadRequest}, true
	case "INVALID_CREDENTIALS":
		return outcome{http.StatusUnauthorized, true}, true
	case "UNAUTHENTICATED", "INVALID_TOKEN":
		return outcome{status: http.StatusUnauthorized}, true
	case "FORBIDDEN", "FORBIDDEN_FIELD":
		return outcome{status: http.StatusForbidden}, true
	case "NOT_FOUND", "DELETED":
		return outcome{http.StatusNotFound, true}, true
	case "VERSION_CONFLICT":
		return outcome{status: http.StatusPreconditionFailed}, true
	case "LIMIT_EXCEEDED":
		return outcome{status: http.StatusRequestEntityTooLarge}, true
	case "TOO_MANY_ATTEMPTS", "RATE_LIMITED":
		return outcome{status: http.StatusTooManyRequests}, true
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

// errorAnswer answers a response with errors by the first of them: what comes with
// it is never given out in part.
func errorAnswer(ctx context.Context, exec graphql.GraphExecutor, response *graphql.Response) *answer {
	err := response.Errors[0]
	code := codeOf(err)
	if o, _ := outcomeOf(code); o.status == http.StatusInternalServerError && code != codeInternal {
		// The texts of these errors are for those who write documents.
		return internalError(ctx, exec, errors.New("a document of REST was answered with "+code))
	}
	if code == "UNAUTHENTICATED" {
		return unauthenticated(err)
	}
	refused := answerForCode(code, err.Message, response.Extensions)
	if code == codeInternal {
		refused.body = object{{"detail", err.Message}, {"request_id", err.Extensions["requestId"]}}
	}
	return refused
}

// internalError answers an error of ours as the executor does: it is logged, and the
// answer holds nothing but its request id.
func internalError(ctx context.Context, exec graphql.GraphExecutor, err error) *answer {
	return errorAnswer(ctx, exec, exec.DispatchError(ctx, gqlerror.List{gqlerror.Wrap(err)}))
}

// answerForCode answers a answerForCode of the request as a whole.
func answerForCode(code, message string, extensions map[string]any) *answer {
	o, _ := outcomeOf(code)
	if o.status == http.StatusNotFound {
		return notFound() // that a record was deleted is not told
	}
	body := object{{"detail", message}}
	if code == "INVALID_TOKEN" {
		body = append(body, member{"code", tokenNotValid})
	}
	refused := &answer{status: o.status, body: body}
	if o.status == http.StatusTooManyRequests {
		refused.retryAfter = "1"
		if seconds, ok := extensions["retryAfter"].(int); ok {
			refused.retryAfter = fmt.Sprint(seconds)
		}
	}
	return refused
}

func codeOf(err *gqlerror.Error) string { return fmt.Sprint(err.Extensions["code"]) }

const (
	tokenNotValid = "token_not_valid"
	// badHeader is the reason that is not about a token.
	badHeader = "Authorization header must contain two space-delimited values"
)

// lacksCredentials reports whether no access token was presented at all.
func lacksCredentials(err *gqlerror.Error) bool {
	return codeOf(err) == "UNAUTHENTICATED" && err.Extensions["reason"] == nil
}

// unauthenticated tells why there is no caller, in the keys that clients look
// at to know whether to refresh their token.
func unauthenticated(err *gqlerror.Error) *answer {
	body := object{{"detail", err.Message}}
	switch reason := err.Extensions["reason"]; reason {
	case nil:
	case badHeader:
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
