package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// pages reads a list to its end, page by page. The first page decides the status of the
// answer. A later one that is refused because of its size is read in smaller pages; one
// that is refused because of the load waits for its turn. So a refusal does not break an
// answer that has begun.
type pages struct {
	op        *operation
	ctx       context.Context // the request's; pages is a part of its answer
	exec      graphql.GraphExecutor
	variables map[string]any
	size      int // of a page, in entries
	// buffer holds the latest page.
	buffer []byte
	// more says that there is another page.
	more bool
}

// list answers with the first page, and reads the others while they are sent.
func (op *operation) list(ctx context.Context, exec graphql.GraphExecutor, variables map[string]any) *answer {
	p := &pages{op: op, ctx: ctx, exec: exec, variables: variables, size: op.pageSize}
	if refused := p.next(); refused != nil {
		return refused
	}
	if !p.more {
		return &answer{status: op.status, json: p.buffer}
	}
	return &answer{status: op.status, json: p.buffer, more: p}
}

// nextItems returns the entries of the next page with a comma before them,
// valid until the next call. It fails if the context has ended or the graph
// fails; the graph has then logged the error.
func (p *pages) nextItems() (items []byte, ok bool) {
	for refused := p.next(); refused != nil; refused = p.next() {
		if !p.again(refused) {
			return nil, false
		}
	}
	if len(p.buffer) < len("[]") || string(p.buffer) == "[]" {
		return nil, true // these entries were deleted meanwhile
	}
	p.buffer[0] = ','
	return p.buffer[:len(p.buffer)-1], true
}

// again reports whether to ask again for a page that was refused. It waits as long as
// the refusal says, or makes the pages smaller.
func (p *pages) again(refused *answer) bool {
	switch refused.status {
	case http.StatusTooManyRequests:
		wait := time.NewTimer(time.Duration(refused.retryAfter) * time.Second)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-p.ctx.Done():
		}
		return p.ctx.Err() == nil
	case http.StatusRequestEntityTooLarge:
		p.size /= 2
		return p.size > 0
	default:
		return false
	}
}

// next reads a page into the buffer.
func (p *pages) next() *answer {
	p.variables[firstVariable] = p.size
	response := execute(p.ctx, p.exec, p.op.document, p.variables)
	if len(response.Errors) > 0 {
		return errorAnswer(p.ctx, p.exec, response)
	}
	s, err := p.op.shape(response.Data, p.buffer)
	if err != nil {
		return internalError(p.ctx, p.exec, err)
	}
	p.buffer = s.body
	if string(s.body) == "null" {
		return notFound()
	}
	var page struct {
		HasNextPage bool
		EndCursor   *string
	}
	if err := json.Unmarshal(s.pageInfo, &page); err != nil {
		return internalError(p.ctx, p.exec, fmt.Errorf("read pageInfo: %w", err))
	}
	p.more = page.HasNextPage && page.EndCursor != nil
	if p.more {
		p.variables[afterVariable] = *page.EndCursor
	}
	return nil
}
