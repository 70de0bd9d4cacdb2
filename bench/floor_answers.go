package main

import (
	"bytes"
	"net"
	"strconv"
)

// wholeAnswers is a listener whose connections send each answer in one piece.
// net/http sends the first 4 KB of a longer one alone.
type wholeAnswers struct{ net.Listener }

// Accept returns the next connection.
func (l wholeAnswers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wholeConn{Conn: c}, nil
}

// wholeConn holds an answer until its last byte. An answer without a
// Content-Length is not held. It does not support HEAD, whose answers have the
// length of a body that never comes.
type wholeConn struct {
	net.Conn
	length int    // of the answer, with its head
	held   []byte // its beginning
}

// Write takes the next part of an answer.
func (c *wholeConn) Write(part []byte) (int, error) {
	if len(c.held) == 0 {
		c.length = answerLength(part)
	}
	if len(c.held)+len(part) < c.length {
		c.held = append(c.held, part...)
		return len(part), nil
	}
	if len(c.held) == 0 {
		return c.Conn.Write(part)
	}
	if err := c.send(part); err != nil {
		return 0, err
	}
	return len(part), nil
}

// send sends what is held and the last part with one system call.
func (c *wholeConn) send(last []byte) error {
	pieces := net.Buffers{c.held, last}
	_, err := pieces.WriteTo(c.Conn)
	c.held = c.held[:0]
	return err
}

// Close sends the beginning of an answer that has no end.
func (c *wholeConn) Close() error {
	if len(c.held) > 0 {
		_ = c.send(nil) // fails only if the client has gone
	}
	return c.Conn.Close()
}

// answerLength returns the length of the answer that begins with part, 0 if it
// has no Content-Length.
func answerLength(part []byte) int {
	head, _, complete := bytes.Cut(part, []byte("\r\n\r\n"))
	_, rest, found := bytes.Cut(head, []byte("\r\nContent-Length: "))
	if !complete || !found {
		return 0
	}
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return 0
	}
	return len(head) + len("\r\n\r\n") + n
}
