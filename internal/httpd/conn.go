package httpd

import (
	"bytes"
	"context"
	"net"
	"sync"
)

// onePiece accepts connections that send an answer in one piece.
type onePiece struct{ net.Listener }

// Accept returns the next connection, a *conn.
func (l onePiece) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// conn sends an answer of known length in one piece. Package http would send what fills
// its buffer of 4 KB first and the rest later, and each piece costs a system call here
// and wakes the client. Only the goroutine that serves the request writes.
type conn struct {
	net.Conn

	// missing is how many bytes of the answer's body are still to come; 0 if nothing is
	// held. inBody is set when the header has come.
	missing int64
	inBody  bool
	held    *[]byte
}

// maxHeld is how many bytes wait for the rest of their answer, and heldPool has buffers
// of this size.
const maxHeld = 8 << 10

var heldPool = sync.Pool{New: func() any { return new(make([]byte, 0, maxHeld)) }}

type connKey struct{}

// withConn makes the connection known to connOf.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// connOf returns the connection of a request under Serve, or nil.
func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)
	return c
}

// hold makes the connection wait for the whole answer. The next bytes are its header,
// followed by a body of this length.
func (c *conn) hold(body int64) {
	c.missing, c.inBody = body, false
}

// Write sends the bytes, or keeps a copy until the answer is complete.
func (c *conn) Write(p []byte) (int, error) {
	if c.missing <= 0 {
		return c.Conn.Write(p)
	}
	body := p
	if !c.inBody {
		end := bytes.Index(p, []byte("\r\n\r\n"))
		if end < 0 {
			return c.send(p) // a header of several pieces
		}
		c.inBody, body = true, p[end+4:]
	}
	c.missing -= int64(len(body))
	if c.missing > 0 && c.kept()+len(p) <= maxHeld {
		if c.held == nil {
			c.held = heldPool.Get().(*[]byte)
		}
		*c.held = append(*c.held, p...)
		return len(p), nil
	}
	return c.send(p)
}

func (c *conn) kept() int {
	if c.held == nil {
		return 0
	}
	return len(*c.held)
}

// send sends what is held, followed by p, and holds nothing more. It returns how much of
// p was sent.
func (c *conn) send(p []byte) (int, error) {
	c.missing = 0
	kept := c.kept()
	if kept == 0 {
		if len(p) == 0 {
			return 0, nil
		}
		return c.Conn.Write(p)
	}
	pieces := net.Buffers{*c.held, p}
	n, err := pieces.WriteTo(c.Conn)
	*c.held = (*c.held)[:0]
	heldPool.Put(c.held)
	c.held = nil
	return max(int(n)-kept, 0), err
}
