package gqlhttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The codes of the schema's enum ErrorCode that this package sends or that determine a
// status.
const (
	codeBadUserInput           = "BAD_USER_INPUT"
	codeForbidden              = "FORBIDDEN"
	codeInProgress             = "REQUEST_IN_PROGRESS"
	codeInternal               = "INTERNAL"
	codeKeyReused              = "IDEMPOTENCY_KEY_REUSED"
	codeLimitExceeded          = "LIMIT_EXCEEDED"
	codePersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND"
	codePersistedQueryOnly     = "PERSISTED_QUERY_ONLY"
	codeRateLimited            = "RATE_LIMITED"
	codeUnauthenticated        = "UNAUTHENTICATED"
	codeUnavailable            = "UNAVAILABLE"
)

// Encode returns the JSON of a response: errors if there are any, data if the
// operation was executed, extensions if there are any, in this order. Nil Data
// means that the operation was not executed; then the response has no key data.
// Data must be valid JSON already.
func Encode(response *graphql.Response) ([]byte, error) {
	before, after, err := envelope(response)
	if err != nil {
		return nil, err
	}
	return slices.Concat(before, response.Data, after), nil
}

// envelope returns what comes before and after the data of a response. The data
// can be large and is not copied.
func envelope(response *graphql.Response) (before, after []byte, err error) {
	if len(response.Errors) > 0 {
		list, err := json.Marshal(response.Errors)
		if err != nil {
			return nil, nil, fmt.Errorf("encode errors: %w", err)
		}
		before = append([]byte(`,"errors":`), list...)
	}
	if len(response.Data) > 0 {
		before = append(before, `,"data":`...)
	}
	if len(response.Extensions) > 0 {
		object, err := json.Marshal(response.Extensions)
		if err != nil {
			return nil, nil, fmt.Errorf("encode extensions: %w", err)
		}
		after = append([]byte(`,"extensions":`), object...)
	}
	switch {
	case len(before) > 0:
		before[0] = '{'
	case len(after) > 0:
		after[0] = '{'
	default:
		before = []byte("{")
	}
	return before, append(after, '}'), nil
}

// respond sends a response in the given media type, with the status that Status
// returns.
func respond(w http.ResponseWriter, r *http.Request, media string, response *graphql.Response) {
	before, after, err := envelope(response)
	if err != nil {
		// Something in it is no JSON: a fault of the server's own.
		WriteError(w, r, http.StatusInternalServerError, codeInternal, "The answer could not be written.")
		return
	}
	if media == mediaEvents && len(response.Data) > 0 {
		event, _ := AppendEvent(nil, response) // it has an envelope
		write(w, media, http.StatusOK, AppendComplete(event))
		return
	}
	if media == mediaEvents {
		media = mediaResponse
	}
	setRetryAfter(w.Header(), response)
	data, status := response.Data, Status(media, response)
	if cap(data)-len(data) >= len(after) { // one piece less
		data, after = append(data, after...), nil
	}
	write(w, media, status, before, data, after)
}

func setRetryAfter(header http.Header, response *graphql.Response) {
	if seconds := retryAfter(response); seconds > 0 {
		header.Set("Retry-After", strconv.Itoa(seconds))
	}
}

// retryAfter returns after how many seconds the request may succeed: the longest
// `retryAfter` in the extensions of the response and of its errors, or 0.
func retryAfter(response *graphql.Response) int {
	longest, _ := response.Extensions["retryAfter"].(int)
	for _, err := range response.Errors {
		seconds, _ := err.Extensions["retryAfter"].(int)
		longest = max(longest, seconds)
	}
	return longest
}

// WriteError sends one error with the given status and code. It is for requests
// that reach no operation; middleware may call it too.
func WriteError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	(&requestError{status: status, code: code, message: message}).write(w, r)
}

// errorBody returns a response with one error, and its media type.
func errorBody(r *http.Request, err *gqlerror.Error) (media string, body []byte) {
	media = jsonMedia(r)
	// Strings always encode.
	body, _ = Encode(&graphql.Response{Errors: gqlerror.List{err}})
	return media, body
}

// Status returns the HTTP status of a response in the given media type. If the
// operation was executed it is 200, even with errors. Otherwise it is
//
//   - 429, 409, 503, 500 if the service is the reason (RATE_LIMITED,
//     REQUEST_IN_PROGRESS, UNAVAILABLE, INTERNAL or no code), in both media types;
//   - 401, 403, 422 (UNAUTHENTICATED, FORBIDDEN, IDEMPOTENCY_KEY_REUSED), else 400,
//     if the request is the reason, in application/graphql-response+json;
//   - 200 if the request is the reason, in application/json, whose clients expect
//     no GraphQL response under any other status.
//
// The first edition of the specification (September 2026) recommends finer
// codes: 422 for some of these 400, and 294 for 200 with errors. The codes here
// are those that it requires and that clients and its own audits check.
func Status(media string, response *graphql.Response) int {
	if len(response.Data) > 0 {
		return http.StatusOK
	}
	status := http.StatusBadRequest
	for _, err := range response.Errors {
		switch code(err) {
		case codeRateLimited:
			return http.StatusTooManyRequests
		case codeInProgress:
			return http.StatusConflict
		case codeUnavailable:
			return http.StatusServiceUnavailable
		case codeInternal, "":
			return http.StatusInternalServerError
		case codeUnauthenticated:
			status = http.StatusUnauthorized
		case codeForbidden:
			status = http.StatusForbidden
		case codeKeyReused:
			status = http.StatusUnprocessableEntity
		}
	}
	if media == mediaJSON {
		return http.StatusOK
	}
	return status
}

// vary lists the headers that every answer depends on.
const vary = "Authorization, Accept, Accept-Encoding"

// write sends the body in pieces. Responses hold personal data and depend on
// the caller, so no cache may keep them.
func write(w http.ResponseWriter, media string, status int, body ...[]byte) {
	length := 0
	for _, piece := range body {
		length += len(piece)
	}
	// One array for all values: http.Header.Set would allocate for each.
	values := [...]string{contentType(media), strconv.Itoa(length), "no-store", "nosniff", vary}
	header := w.Header()
	for i, name := range [...]string{"Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options"} {
		header[name] = values[i : i+1 : i+1]
	}
	if others := header["Vary"]; others == nil {
		header["Vary"] = values[4:]
	} else {
		header["Vary"] = append(others, vary)
	}
	if status == http.StatusUnauthorized && header.Get("WWW-Authenticate") == "" {
		header.Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	for _, piece := range body {
		// An error means that the client has gone.
		_, _ = w.Write(piece) //nolint:gosec // G705: it is sent as JSON, and nosniff
	}
}

func contentType(media string) string {
	switch media {
	case mediaJSON:
		return mediaJSON + "; charset=utf-8"
	case mediaEvents:
		return mediaEvents + "; charset=utf-8"
	default:
		return mediaResponse + "; charset=utf-8"
	}
}

func code(err *gqlerror.Error) string {
	code, _ := err.Extensions["code"].(string)
	return code
}

func setCode(err *gqlerror.Error, code string) {
	if err.Extensions == nil {
		err.Extensions = map[string]any{}
	}
	err.Extensions["code"] = code
}
