package streams

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/model"
)

// operation is a running operation of a socket.
type operation struct {
	id string
	// ctx is nil for a subscription, each of whose answers has one.
	ctx context.Context
	// subscription is nil for other operations.
	subscription *subscription
}

// leave ends an operation whose client does not want the answer any more.
func (op *operation) leave() {
	if op.subscription != nil {
		op.subscription.end()
	} else if op.ctx != nil {
		httpd.Leave(op.ctx)
	}
}

// subscribe begins an operation. It reports false if it has closed the socket.
func (c *socket) subscribe(m message) bool {
	op := &operation{id: m.ID}
	if caller := c.caller; caller != nil && c.isExpired(caller) { // only messages set it, one after the other
		c.close(codeForbidden, auth.TokenExpired)
		return false
	}
	c.mu.Lock()
	caller, used, n := c.caller, c.find(m.ID) >= 0, len(c.running)
	isAdmitted, isLeaving := caller != nil && !used && n < maxOperations, c.leaving
	if isAdmitted && !isLeaving {
		c.performing++
		c.Streams.performing.Add(1)
		c.running = append(c.running, op)
		c.operations++
	}
	c.mu.Unlock()
	switch {
	case caller == nil:
		c.close(codeUnauthorized, auth.TokenMissing)
		return false
	case used:
		c.close(codeIDInUse, "Subscriber already exists")
		return false
	case !isAdmitted:
		c.refuse(m.ID, rateLimited())
		return true
	case isLeaving: // the client sends it again to another server
		return true
	}
	ctx, end := c.stream.Operation(caller.Again())
	op.ctx = ctx
	go func() {
		defer c.performed()
		defer end()
		c.perform(ctx, op, m.Payload)
	}()
	return true
}

// performed ends a socket that waits for its last operation.
func (c *socket) performed() {
	c.Streams.performing.Done()
	c.mu.Lock()
	c.performing--
	isLast := c.leaving && c.performing == 0
	c.mu.Unlock()
	if isLast {
		c.close(codeGoingAway, "")
	}
}

func rateLimited() gqlerror.List {
	err := gqlerror.Errorf("Too many operations run on this connection. Wait for the end of one.")
	err.Extensions = map[string]any{"code": string(model.CodeRateLimited)}
	return gqlerror.List{err}
}

// complete ends an operation whose client does not want the answer any more.
func (c *socket) complete(id string) {
	c.mu.Lock()
	i := c.find(id)
	if i < 0 {
		c.mu.Unlock()
		return
	}
	op := c.running[i]
	c.running = slices.Delete(c.running, i, i+1)
	c.mu.Unlock()
	op.leave()
}

// find returns the place of a running operation, or -1. It must be called with the lock.
func (c *socket) find(id string) int {
	return slices.IndexFunc(c.running, func(op *operation) bool { return op.id == id })
}

// finish lets an operation run no more. It reports whether it ran.
func (c *socket) finish(op *operation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.running, op)
	if i >= 0 {
		c.running = slices.Delete(c.running, i, i+1)
	}
	return i >= 0
}

// perform answers an operation.
func (c *socket) perform(ctx context.Context, op *operation, payload []byte) {
	defer func() {
		if value := recover(); value != nil {
			c.fail(op, gqlerror.List{c.exec.Recovered(ctx, value)})
		}
	}()
	prepared, errs := c.http.Operation(ctx, c.exec, payload)
	if prepared == nil {
		c.fail(op, errs)
		return
	}
	if errs == nil && c.exec.NeedsHTTP(prepared) {
		errs = gqlerror.List{badRequest("Tokens are sent over HTTP only: send this mutation as a POST request.")}
	}
	if errs != nil {
		c.fail(op, c.exec.DispatchError(graphql.WithOperationContext(ctx, prepared), errs).Errors)
		return
	}
	if prepared.Operation.Operation == ast.Subscription {
		c.follow(op, prepared)
		return
	}
	responses, ctx := c.exec.DispatchOperation(ctx, prepared)
	response := responses(ctx)
	switch {
	case response == nil:
		c.fail(op, gqlerror.List{stopped()})
	case len(response.Data) == 0:
		c.fail(op, response.Errors)
	default:
		c.answer(op, response)
	}
}

func badRequest(message string) *gqlerror.Error {
	err := gqlerror.Errorf("%s", message)
	err.Extensions = map[string]any{"code": string(model.CodeBadUserInput)}
	return err
}

func stopped() *gqlerror.Error {
	err := gqlerror.Errorf("The operation was stopped.")
	err.Extensions = map[string]any{"code": string(model.CodeUnavailable)}
	return err
}

// follow begins a subscription, unless the client has left it already.
func (c *socket) follow(op *operation, prepared *graphql.OperationContext) {
	sub := &subscription{
		Subscription: c.exec.Subscription(prepared), streams: c.Streams, exec: c.exec, account: c.account, to: pusher{c, op},
	}
	c.mu.Lock()
	isWanted := slices.Contains(c.running, op)
	if isWanted {
		op.subscription, op.ctx = sub, nil
	}
	c.mu.Unlock()
	if isWanted {
		c.remember(sub)
	}
}

// pusher is the client of a subscription over a socket.
type pusher struct {
	*socket

	op *operation
}

func (p pusher) viewer() *model.Viewer {
	if p.isExpired(p.caller) {
		return nil
	}
	return p.caller.ViewerNow()
}

func (p pusher) context() (ctx context.Context, end func(), ok bool) {
	if p.isExpired(p.caller) {
		p.leave(codeForbidden, auth.TokenExpired)
		return nil, nil, false
	}
	ctx, end = p.stream.Operation(p.caller.Again())
	return ctx, end, true
}

func (p pusher) turn() (done func()) {
	p.pushing.Lock()
	return p.pushing.Unlock
}

func (p pusher) message(response *graphql.Response) ([]byte, error) {
	return nextMessage(p.op.id, response)
}

func (p pusher) push(message []byte) {
	if p.isRunning(p.op) {
		p.write(message)
	}
}

func (p pusher) refuse(errs gqlerror.List) { p.fail(p.op, errs) }

// answer sends the one answer of an operation. The client may use the id again once it has
// the message complete.
func (c *socket) answer(op *operation, response *graphql.Response) {
	text, err := nextMessage(op.id, response)
	if err != nil {
		panic(err) //nolint:forbidigo // perform recovers: something in it is no JSON
	}
	if c.isRunning(op) {
		c.write(text)
	}
	if c.http.OnSent != nil {
		c.http.OnSent(response.Data)
	}
	if c.finish(op) {
		c.write(completeMessage(op.id))
	}
}

// isRunning reports whether the client still wants the answer, which it counts.
func (c *socket) isRunning(op *operation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	isRunning := slices.Contains(c.running, op)
	if isRunning {
		c.nexts++
	}
	return isRunning
}

// fail sends the errors of an operation that was not executed.
func (c *socket) fail(op *operation, errs gqlerror.List) {
	if c.finish(op) {
		c.refuse(op.id, errs)
	}
}

func (c *socket) refuse(id string, errs gqlerror.List) {
	text, err := errorMessage(id, errs)
	if err != nil {
		text = completeMessage(id)
	}
	c.write(text)
}
