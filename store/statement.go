package store

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// statement is a prepared statement that is being written, with its arguments in
// PostgreSQL's text format.
type statement struct {
	// text is compared and looked up without reading it.
	text unique.Handle[string]
	args [][]byte

	store  *Store
	viewer *model.Viewer
	// draft is the text as far as it is written. There is none when the text is
	// known already: then only the arguments are gathered, in the same order.
	draft   []byte
	drafted bool
	err     error

	// fold is set for a statement whose rows are those of two reads.
	fold *fold
	// rows is the result; above is the part of it that fold splits off.
	rows, above *Rows
	// then, when it is set, is called once the rows are there.
	then func()
}

// selfMark stands for the viewer's id in a piece of SQL that is kept.
const selfMark = "\x01"

// anyViewer is a viewer in a piece of SQL that serves all viewers of its role.
func anyViewer(v *model.Viewer) sight {
	return sight{v, bun.Safe(selfMark)}
}

// write adds pieces of SQL.
func (st *statement) write(pieces ...string) {
	if st.drafted {
		for _, piece := range pieces {
			st.draft = append(st.draft, piece...)
		}
	}
}

func (st *statement) writeInt(n int) {
	if st.drafted {
		st.draft = strconv.AppendInt(st.draft, int64(n), 10)
	}
}

// argument adds the next parameter and its value.
func (st *statement) argument(value any) {
	text, err := argumentText(value)
	if err != nil && st.err == nil {
		st.err = err
	}
	st.args = append(st.args, text)
	st.write("$")
	st.writeInt(len(st.args))
}

// finish returns the whole text: the viewer's id is the parameter after all
// others, if the text speaks of it.
func (st *statement) finish() statementText {
	text := string(st.draft)
	whole := strings.ReplaceAll(text, selfMark, "$"+strconv.Itoa(len(st.args)+1))
	return statementText{text: unique.Make(whole), self: whole != text}
}

// statementText is a text that is kept for statements of the same shape.
type statementText struct {
	text unique.Handle[string]
	// self says that the last parameter is the viewer's id.
	self bool
}

// use completes a statement with its text.
func (st *statement) use(t statementText) {
	st.text = t.text
	if t.self {
		st.args = append(st.args, strconv.AppendInt(nil, st.viewer.UserID, 10))
	}
}

// and adds conditions to a WHERE that has one already.
func (st *statement) and(conditions []condition) {
	for _, c := range conditions {
		st.write(" AND (")
		st.condition(c)
		st.write(")")
	}
}

func (st *statement) condition(c condition) {
	text := c.text
	for _, arg := range c.args {
		before, after, _ := strings.Cut(text, "?")
		st.write(before)
		if sql, ok := arg.(schema.QueryAppender); ok {
			if st.drafted {
				st.write(st.store.sql(sql))
			}
		} else {
			st.argument(arg)
		}
		text = after
	}
	st.write(text)
}

// sql writes out a piece of SQL.
func (s *Store) sql(a schema.QueryAppender) string {
	text, err := a.AppendQuery(s.db.QueryGen(), nil)
	if err != nil {
		return "FALSE" // cannot be, and lets nothing out
	}
	return string(text)
}

// sqlWhere writes out conditions without values.
func (s *Store) sqlWhere(conditions []condition) string {
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		parts[i] = "(" + s.sql(bun.SafeQuery(c.text, c.args...)) + ")"
	}
	return strings.Join(parts, " AND ")
}

// argumentText is a value in PostgreSQL's text format; nil is null.
func argumentText(value any) ([]byte, error) {
	if v, ok := value.(driver.Valuer); ok {
		plain, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("an argument: %w", err)
		}
		value = plain
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	case bool:
		return strconv.AppendBool(nil, v), nil
	case int:
		return strconv.AppendInt(nil, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	case []int64:
		return arrayText(v), nil
	case time.Time:
		return v.AppendFormat(nil, time.RFC3339Nano), nil
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.String {
		return []byte(v.String()), nil
	}
	return nil, fmt.Errorf("a %T is no argument", value)
}

func arrayText(ids []int64) []byte {
	text := []byte{'{'}
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, id, 10)
	}
	return append(text, '}')
}
