package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync/atomic"
)

// proxy passes messages between a server and PostgreSQL and counts those of the
// server. No time is measured through it.
type proxy struct {
	listener net.Listener
	target   string // path of PostgreSQL's socket
	// statements and roundTrips count since the start.
	statements, roundTrips atomic.Int64
}

// startProxy returns a proxy and the URL of the database through it. The proxy
// ends with ctx.
func startProxy(ctx context.Context, database string) (*proxy, string, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, "", err
	}
	query := u.Query()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	p := &proxy{listener: listener, target: fmt.Sprintf("%s/.s.PGSQL.%s", query.Get("host"), query.Get("port"))}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	go p.serve(ctx)
	u.Host, u.RawQuery = listener.Addr().String(), "sslmode=disable"
	return p, u.String(), nil
}

func (p *proxy) serve(ctx context.Context) {
	for {
		front, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		go func() {
			defer func() { _ = front.Close() }()
			var dialer net.Dialer
			back, err := dialer.DialContext(ctx, "unix", p.target)
			if err != nil {
				return
			}
			defer func() { _ = back.Close() }()
			go func() {
				_, _ = io.Copy(front, back) // ends when either side does
				_ = front.Close()
			}()
			_ = p.forward(front, back) // likewise
		}()
	}
}

// forward copies the messages of the client. The first one, the start-up, has
// no type; all others begin with a type.
func (p *proxy) forward(front io.Reader, back io.Writer) error {
	r := bufio.NewReader(front)
	if err := copyMessage(back, r, 0); err != nil {
		return err
	}
	for {
		kind, err := r.Peek(1)
		if err != nil {
			return err
		}
		p.count(kind[0])
		if err := copyMessage(back, r, 1); err != nil {
			return err
		}
	}
}

func (p *proxy) count(kind byte) {
	switch kind {
	case 'E': // Execute
		p.statements.Add(1)
	case 'S': // Sync: the client waits for all answers since the last one
		p.roundTrips.Add(1)
	case 'Q': // Query: both
		p.statements.Add(1)
		p.roundTrips.Add(1)
	}
}

// copyMessage copies one message. Its length follows its type.
func copyMessage(w io.Writer, r *bufio.Reader, typeBytes int) error {
	const lengthBytes = 4
	head, err := r.Peek(typeBytes + lengthBytes)
	if err != nil {
		return err
	}
	length := binary.BigEndian.Uint32(head[typeBytes:])
	if length < lengthBytes {
		return errors.New("a message is shorter than its length")
	}
	_, err = io.CopyN(w, r, int64(typeBytes)+int64(length))
	return err
}
