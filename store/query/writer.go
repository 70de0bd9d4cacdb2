package query

import (
	"errors"
	"strconv"
	"strings"
	"unique"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// textBuilder writes the text of a statement and numbers its parameters. argBinder has
// their values.
type textBuilder struct {
	records *Records
	viewer  *model.Viewer
	text    []byte
	params  int
}

// write adds pieces of SQL.
func (b *textBuilder) write(pieces ...string) {
	for _, piece := range pieces {
		b.text = append(b.text, piece...)
	}
}

func (b *textBuilder) writeInt(n int) { b.text = strconv.AppendInt(b.text, int64(n), 10) }

// and adds conditions to a WHERE that is not empty.
func (b *textBuilder) and(conditions []Condition) {
	for _, c := range conditions {
		b.write(" AND (")
		b.condition(c)
		b.write(")")
	}
}

func (b *textBuilder) condition(c Condition) {
	text := c.Text
	for _, arg := range c.Args {
		before, after, _ := strings.Cut(text, "?")
		b.write(before)
		if sql, ok := arg.(schema.QueryAppender); ok {
			b.write(b.records.sql(sql))
		} else {
			b.params++
			b.write("$")
			b.writeInt(b.params)
		}
		text = after
	}
	b.write(text)
}

// cachedText is a text that statements share.
type cachedText struct {
	text unique.Handle[string]
	// params is the number of parameters before the viewer's id, which is the last one
	// if hasViewer is set.
	params    int
	hasViewer bool
	constants []pgpipe.Constant
}

// complete returns the text, with the viewer's id as the last parameter if it has
// viewerPlaceholder.
func (b *textBuilder) complete() cachedText {
	text := string(b.text)
	whole := strings.ReplaceAll(text, viewerPlaceholder, "$"+strconv.Itoa(b.params+1))
	return cachedText{text: unique.Make(whole), params: b.params, hasViewer: whole != text}
}

// argBinder collects the values of the parameters in the order of textBuilder.
type argBinder struct {
	args [][]byte
	err  error
}

func (b *argBinder) conditions(conditions []Condition) {
	for _, c := range conditions {
		for _, arg := range c.Args {
			if _, sql := arg.(schema.QueryAppender); sql {
				continue
			}
			text, err := pgpipe.Argument(arg)
			if err != nil && b.err == nil {
				b.err = err
			}
			b.args = append(b.args, text)
		}
	}
}

// statement returns the statement of a cached text.
func (b *argBinder) statement(t cachedText, v *model.Viewer) (*pgpipe.Statement, error) {
	if b.err == nil && len(b.args) != t.params {
		b.err = errors.New("a statement has other parameters than arguments")
	}
	if t.hasViewer {
		b.args = append(b.args, strconv.AppendInt(nil, v.UserID, 10))
	}
	return &pgpipe.Statement{Text: t.text, Args: b.args, Constants: t.constants}, b.err
}

// sql returns SQL as a text.
func (r *Records) sql(a schema.QueryAppender) string {
	text, err := a.AppendQuery(r.writer, nil)
	if err != nil {
		return "FALSE" // cannot happen; no rows are safe
	}
	return string(text)
}

// where returns conditions without values as a text.
func (r *Records) where(conditions []Condition) string {
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		parts[i] = "(" + r.sql(bun.SafeQuery(c.Text, c.Args...)) + ")"
	}
	return strings.Join(parts, " AND ")
}
