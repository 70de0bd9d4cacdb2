package model

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Sizes of a page. DefaultPage is for a list without first and last.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// PageArgs are the arguments of a connection (Relay Cursor Connections, 4).
type PageArgs struct {
	First, Last   *int
	After, Before *string
}

// OrderBy is the order that a client asks for, by a value of the list's enum.
type OrderBy[F ~string] struct {
	Field     F
	Direction OrderDirection
}

// By returns the value of the enum and whether the order is descending.
func (o OrderBy[F]) By() (field string, descending bool) {
	return string(o.Field), o.Direction == Descending
}

// Order is the sort order of a list. The id breaks ties.
type Order struct {
	// List names the list. Cursors are valid for one list only.
	List string
	// Field is the value of the order's enum.
	Field      string
	Key        KeyType
	Descending bool
}

// KeyType is the type of a sort key, as PostgreSQL names it.
type KeyType string

// The types of sort keys.
const (
	KeyTime    KeyType = "timestamptz"
	KeyDate    KeyType = "date"
	KeyText    KeyType = "text"
	KeyInt     KeyType = "integer"
	KeyNumeric KeyType = "numeric"
)

// Page is a validated page request: Limit entries after a cursor or, backwards,
// before one.
type Page struct {
	Limit     int
	Backwards bool
	// After and Before bound the page; nil means the end of the list.
	After, Before *Cursor
}

// Cursor is a position in a list: the sort key and the id of a record.
type Cursor struct {
	Key string
	ID  int64
}

// Page validates the arguments for an order. It returns BAD_USER_INPUT for sizes
// outside 0 to 100 and for first together with last, and INVALID_CURSOR for a
// cursor of another list or order.
func (a PageArgs) Page(order Order) (Page, error) {
	page := Page{Limit: DefaultPage}
	switch {
	case a.First != nil && a.Last != nil:
		return Page{}, NewFieldError("last", CodeBadUserInput, "Use either first or last, not both.")
	case a.First != nil:
		page.Limit = *a.First
	case a.Last != nil:
		page.Limit, page.Backwards = *a.Last, true
	}
	if page.Limit < 0 || page.Limit > MaxPage {
		field := map[bool]string{false: "first", true: "last"}[page.Backwards]
		return Page{}, NewFieldError(field, CodeBadUserInput, fmt.Sprintf("%s must lie between 0 and %d.", field, MaxPage))
	}
	var err error
	if page.After, err = order.cursor("after", a.After); err != nil {
		return Page{}, err
	}
	page.Before, err = order.cursor("before", a.Before)
	return page, err
}

// Sides reports whether the list has entries before and after the page. more says that
// it has entries beyond the limit, in the direction of the page. At a cursor that bounds
// the page there was an entry when the cursor was made.
func (p Page) Sides(more bool) (before, after bool) {
	before, after = p.After != nil, p.Before != nil
	if p.Backwards {
		return before || more, after
	}
	return before, after || more
}

func (o Order) tag() string {
	direction := Ascending
	if o.Descending {
		direction = Descending
	}
	return o.List + " " + o.Field + " " + string(direction)
}

// Encode returns the cursor as clients get it.
func (o Order) Encode(c Cursor) string { return string(o.AppendCursor(nil, c)) }

// AppendCursor appends the encoded cursor: a JSON list of tag, key and id, in base64.
func (o Order) AppendCursor(b []byte, c Cursor) []byte {
	var buffer [typicalCursor]byte
	list := appendJSON(append(buffer[:0], '['), o.tag())
	list = appendJSON(append(list, ','), c.Key)
	list = strconv.AppendInt(append(list, ','), c.ID, 10)
	return base64.RawURLEncoding.AppendEncode(b, append(list, ']'))
}

const typicalCursor = 128

// appendJSON appends a text as encoding/json writes it. Old cursors depend on it.
func appendJSON(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; special(c) || c == '<' || c == '>' || c == '&' || c >= utf8.RuneSelf {
			escaped, err := json.Marshal(strings.Clone(text)) // text may be on the stack
			if err != nil {
				panic(err) //nolint:forbidigo // every string has a JSON form
			}
			return append(b, escaped...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// maxCursor allows a name of 100 times U+FDFA, which folding makes 18 times longer.
const maxCursor = 5_000

func (o Order) cursor(field string, text *string) (*Cursor, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // no cursor is no bound
	}
	c, ok := o.decode(*text)
	if !ok {
		return nil, NewFieldError(field, CodeInvalidCursor, field+" is not a cursor of this list in this order.")
	}
	return &c, nil
}

func (o Order) decode(text string) (Cursor, bool) {
	if len(text) > maxCursor {
		return Cursor{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Cursor{}, false
	}
	var c Cursor
	var tag string
	parts := []any{&tag, &c.Key, &c.ID}
	if json.Unmarshal(raw, &parts) != nil || len(parts) != 3 {
		return Cursor{}, false
	}
	return c, tag == o.tag() && c.ID > 0 && o.Key.accepts(c.Key)
}

// accepts reports whether a key of the type can have this text. It keeps forged
// cursors from PostgreSQL.
func (t KeyType) accepts(key string) bool {
	switch t {
	case KeyTime:
		return isTime(key, "2006-01-02 15:04:05.999999+00")
	case KeyDate:
		return isTime(key, time.DateOnly)
	case KeyInt:
		_, err := strconv.ParseInt(key, 10, 32)
		return err == nil
	case KeyNumeric:
		d := ParseDecimal(key)
		return d.Valid() && d.String() == key
	default:
		return !strings.ContainsRune(key, 0)
	}
}

// isTime reports whether the text is a time exactly as the layout writes it.
// PostgreSQL has no year 0.
func isTime(text, layout string) bool {
	parsed, err := time.Parse(layout, text)
	return err == nil && parsed.Year() > 0 && parsed.Format(layout) == text
}

// Listed is a record of a list.
type Listed interface {
	Node
	// SortKeyText returns the record's sort key in the list.
	SortKeyText() string
}

// CursorOf returns the cursor of a record of the list.
func (o Order) CursorOf(row Listed) string {
	return o.Encode(Cursor{Key: row.SortKeyText(), ID: row.NodeID().Num})
}

// RecordPage is a page of a list of records of any type.
type RecordPage struct {
	Entries  []RecordEntry
	PageInfo *PageInfo
	// Count computes the total. It is called only if a client selects it.
	Count func(context.Context) (int, error)
}

// RecordEntry is an entry of a page. Row is the row of the list if the node is a
// record that the row names; otherwise it is nil.
type RecordEntry struct {
	Cursor    string
	Node, Row Node
}
