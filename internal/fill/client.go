package fill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// client sends operations to one server. If the server is busy, it tries again,
// a bounded number of times.
type client struct {
	endpoint string
	http     *http.Client
	now      func() time.Time
	wait     func(context.Context, time.Duration) error
}

const (
	maxTries       = 6
	firstPause     = time.Second
	maxPause       = time.Minute
	maxAnswerBytes = 4 << 20
)

// reply is the result of any of our operations: each operation names its one
// field "reply", and the record in it "record" or "nodes".
type reply struct {
	Record     *record      `json:"record"`
	Nodes      []record     `json:"nodes"`
	Tokens     *tokens      `json:"tokens"`
	UserErrors []errorEntry `json:"userErrors"`
}

type record struct {
	ID string `json:"id"`
	// Key is the unique value of the record.
	Key string `json:"key"`
}

type tokens struct {
	Access string `json:"access"`
}

// errorEntry is an entry of errors or of userErrors, without its message: an
// unknown server could quote our input in it.
type errorEntry struct {
	Field      []string `json:"field"`
	Code       string   `json:"code"`
	Extensions struct {
		Code      string `json:"code"`
		RequestID string `json:"requestId"`
	} `json:"extensions"`
}

// apiError holds the errors with which the server refused an operation.
type apiError struct {
	operation string
	entries   []errorEntry
}

func (r *apiError) Error() string {
	texts := make([]string, len(r.entries))
	for i, f := range r.entries {
		texts[i] = f.Code
		if len(f.Field) > 0 {
			texts[i] += " at " + strings.Join(f.Field, ".")
		}
		if f.Extensions.RequestID != "" {
			texts[i] += " (request " + f.Extensions.RequestID + ")"
		}
	}
	return r.operation + " was refused: " + strings.Join(texts, ", ")
}

// hasOnly reports whether every error has the code.
func (r *apiError) hasOnly(code string) bool {
	return !slices.ContainsFunc(r.entries, func(f errorEntry) bool { return f.Code != code })
}

// failedWith reports whether err is an apiError whose errors all have the code.
func failedWith(err error, code string) bool {
	r, ok := errors.AsType[*apiError](err)
	return ok && r.hasOnly(code)
}

// operation is a GraphQL document and its name in our errors.
type operation struct{ name, document string }

// do sends an operation for the account of the token. It returns an *apiError
// if the server answers with errors or userErrors.
func (c *client) do(ctx context.Context, token string, op operation, variables any) (reply, error) {
	body, err := json.Marshal(map[string]any{"query": op.document, "variables": variables})
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", op.name, err)
	}
	backoff := firstPause
	for try := 1; ; try++ {
		answer, pause, err := c.try(ctx, token, op, body)
		if err == nil || pause == 0 {
			return answer, err
		}
		if try == maxTries {
			return reply{}, fmt.Errorf("gave up after %d tries: %w", maxTries, err)
		}
		if pause == useBackoff {
			pause, backoff = backoff, 2*backoff
		}
		if err := c.wait(ctx, min(pause, maxPause)); err != nil {
			return reply{}, err
		}
	}
}

// useBackoff is the pause if the server does not say how long to wait.
const useBackoff time.Duration = -1

// try sends an operation once. With a temporary error it returns the pause
// before the next try, otherwise 0.
func (c *client) try(ctx context.Context, token string, op operation, body []byte) (answer reply, pause time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return reply{}, 0, fmt.Errorf("%s: %w", op.name, err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, 0, fmt.Errorf("reach the server: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return reply{}, 0, fmt.Errorf("reach the server: %w", err)
	}
	if s := response.StatusCode; s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable {
		return reply{}, c.retryAfter(response.Header), fmt.Errorf("%s: the server answers %s", op.name, response.Status)
	}
	answer, pause, err = read(op, text)
	if errors.Is(err, errNotGraphQL) {
		err = fmt.Errorf("%w (%s)", err, response.Status)
	}
	return answer, pause, err
}

// retryAfter reads the header Retry-After (RFC 9110, 10.2.3).
func (c *client) retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(c.now()) {
		return at.Sub(c.now())
	}
	return useBackoff
}

var errNotGraphQL = errors.New("the server there does not answer with GraphQL")

// read parses the body of a response.
func read(op operation, text []byte) (answer reply, pause time.Duration, err error) {
	var body struct {
		Data       struct{ Reply *reply }
		Errors     []errorEntry
		Extensions struct{ RetryAfter int }
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return reply{}, 0, errNotGraphQL // the error's text would quote the response
	}
	if len(body.Errors) > 0 {
		refused := &apiError{op.name, body.Errors}
		for i := range refused.entries {
			refused.entries[i].Code, refused.entries[i].Field = refused.entries[i].Extensions.Code, nil
		}
		if refused.hasOnly("RATE_LIMITED") || refused.hasOnly("UNAVAILABLE") {
			pause = useBackoff
		}
		return reply{}, pause, refused
	}
	if body.Data.Reply == nil {
		return reply{}, 0, errNotGraphQL
	}
	if len(body.Data.Reply.UserErrors) == 0 {
		return *body.Data.Reply, 0, nil
	}
	refused := &apiError{op.name, body.Data.Reply.UserErrors}
	if refused.hasOnly("TOO_MANY_ATTEMPTS") {
		pause = useBackoff
		if s := body.Extensions.RetryAfter; s > 0 {
			pause = time.Duration(s) * time.Second
		}
	}
	return reply{}, pause, refused
}
