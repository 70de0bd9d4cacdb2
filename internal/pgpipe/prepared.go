package pgpipe

import (
	"strconv"
	"unique"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/jackc/pgx/v5/pgconn"
)

// prepared caches the most recently used prepared statements of one connection by their
// texts. The limit keeps clients from filling PostgreSQL's memory.
type prepared struct {
	*lru.LRU[unique.Handle[string], *pgconn.StatementDescription]

	count   int
	evicted []string
}

// maxPrepared is the number of statements of a connection. One takes some 50 KB of
// PostgreSQL's memory.
const maxPrepared = 100

const preparedKey = "caregraph prepared"

func preparedCache(conn *pgconn.PgConn) *prepared {
	cache, ok := conn.CustomData()[preparedKey].(*prepared)
	if !ok {
		cache = &prepared{}
		cache.LRU, _ = lru.NewLRU(maxPrepared, func(_ unique.Handle[string], d *pgconn.StatementDescription) { // fails for a size below 1 only
			cache.evicted = append(cache.evicted, d.Name)
		})
		conn.CustomData()[preparedKey] = cache
	}
	return cache
}

// add adds a statement under a new name.
func (p *prepared) add(text unique.Handle[string]) *pgconn.StatementDescription {
	p.count++
	d := &pgconn.StatementDescription{Name: "read" + strconv.Itoa(p.count), SQL: text.Value()}
	p.Add(text, d)
	return d
}

func (p *prepared) takeEvicted() []string {
	taken := p.evicted
	p.evicted = nil
	return taken
}
