package graph

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/internal/limits"
)

// explainHeader asks for the cost and the times of an operation. It is in the form of
// http.Header.
const explainHeader = "X-Caregraph-Explain"

func asksToExplain(r *http.Request) bool {
	value := r.Header[explainHeader]
	return len(value) == 1 && value[0] == "1"
}

// explaining is the executor of a request that asks to be explained. It adds the cost to
// the extensions of the answer, and the header Server-Timing.
type explaining struct {
	executor

	header http.Header // of the answer
	began  time.Time
}

// operationCost is the value of the extension cost.
type operationCost struct {
	Requested int `json:"requested"`
	Limit     int `json:"limit"`
}

// DispatchOperation executes an operation and explains it, unless it is one of REST or of a
// socket: these have no header that could answer it alone.
func (e explaining) DispatchOperation(ctx context.Context, op *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	if op.Headers == nil { // only GraphQL over HTTP sets them
		return e.executor.DispatchOperation(ctx, op)
	}
	database := auth.CallerFrom(ctx).Measure()
	responses, ctx := e.executor.DispatchOperation(ctx, op)
	return func(ctx context.Context) *graphql.Response {
		out := responses(ctx)
		if out == nil {
			return nil
		}
		addExtension(out, "cost", operationCost{limits.Cost(op), e.operations.limits.Cost})
		timing := "total;dur=" + milliseconds(time.Since(e.began))
		if op.Operation.Operation == ast.Query {
			// Those of a mutation could show which codes, addresses and names exist.
			statements, took := database.Read()
			timing += fmt.Sprintf(`, db;dur=%s, statements;desc="%d"`, milliseconds(took), statements)
		}
		e.header.Set("Server-Timing", timing)
		return out
	}, ctx
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
