package store

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// statement is the text of a prepared statement that is being written, with its
// arguments in PostgreSQL's text format.
type statement struct {
	store  *Store
	viewer *model.Viewer
	text   []byte
	args   [][]byte
	// self is the number of the parameter that is the viewer's id, once there is one.
	self int
	err  error
}

// selfMark stands for the viewer's id in a piece of SQL that is kept.
const selfMark = '\x01'

// anyViewer is a viewer in a piece of SQL that serves all viewers of its role.
func anyViewer(v *model.Viewer) sight {
	return sight{v, bun.Safe(selfMark)}
}

// write adds a piece of SQL, with the viewer's id in the place of its marks.
func (st *statement) write(pieces ...string) {
	for _, piece := range pieces {
		for {
			before, after, found := strings.Cut(piece, string(selfMark))
			st.text = append(st.text, before...)
			if !found {
				break
			}
			st.writeSelf()
			piece = after
		}
	}
}

func (st *statement) writeSelf() {
	if st.self == 0 {
		st.args = append(st.args, strconv.AppendInt(nil, st.viewer.UserID, 10))
		st.self = len(st.args)
	}
	st.text = append(st.text, '$')
	st.text = strconv.AppendInt(st.text, int64(st.self), 10)
}

func (st *statement) writeInt(n int) { st.text = strconv.AppendInt(st.text, int64(n), 10) }

// argument adds the next parameter and its value.
func (st *statement) argument(value any) {
	text, err := argumentText(value)
	if err != nil && st.err == nil {
		st.err = err
	}
	st.args = append(st.args, text)
	st.text = append(st.text, '$')
	st.text = strconv.AppendInt(st.text, int64(len(st.args)), 10)
}

// and adds conditions to a WHERE that has one already.
func (st *statement) and(conditions []condition) {
	for _, c := range conditions {
		st.text = append(st.text, " AND ("...)
		st.condition(c)
		st.text = append(st.text, ')')
	}
}

func (st *statement) condition(c condition) {
	text := c.text
	for _, arg := range c.args {
		before, after, _ := strings.Cut(text, "?")
		st.write(before)
		if sql, ok := arg.(schema.QueryAppender); ok {
			st.write(st.store.sql(sql))
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

// argumentText is a value in PostgreSQL's text format.
func argumentText(value any) ([]byte, error) {
	if v, ok := value.(driver.Valuer); ok {
		plain, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("an argument: %w", err)
		}
		value = plain
	}
	switch v := value.(type) {
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
