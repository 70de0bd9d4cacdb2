package pgpipe

import (
	"strconv"
	"unique"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepared is the cache of the statements that one connection has prepared, by
// their texts. It keeps the most recently used ones, so that clients cannot make
// PostgreSQL keep any number of them.
type prepared struct {
	*lru.LRU[unique.Handle[string], *pgconn.StatementDescription]

	made    int
	evicted []string
}

// mostPrepared is how many statements a connection keeps; one takes some 50 KB
// of PostgreSQL's memory.
const mostPrepared = 100

const preparedKey = "caregraph prepared"

func preparedOn(conn *pgconn.PgConn) *prepared {
	known, ok := conn.CustomData()[preparedKey].(*prepared)
	if !ok {
		known = &prepared{}
		known.LRU, _ = lru.NewLRU(mostPrepared, func(_ unique.Handle[string], d *pgconn.StatementDescription) { // fails for a size below 1 only
			known.evicted = append(known.evicted, d.Name)
		})
		conn.CustomData()[preparedKey] = known
	}
	return known
}

// add names a new statement.
func (p *prepared) add(text unique.Handle[string]) *pgconn.StatementDescription {
	p.made++
	d := &pgconn.StatementDescription{Name: "read" + strconv.Itoa(p.made), SQL: text.Value()}
	p.Add(text, d)
	return d
}

func (p *prepared) takeEvicted() []string {
	taken := p.evicted
	p.evicted = nil
	return taken
}
