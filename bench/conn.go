package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// conn is one keep-alive connection of an HTTP/1.1 client. The client does no
// more than the benchmark needs, because it shares the processors with the
// servers.
type conn struct {
	net  net.Conn
	r    *bufio.Reader
	body []byte // of the last answer
}

func dial(ctx context.Context, addr string) (*conn, error) {
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &conn{net: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

func (c *conn) close() { _ = c.net.Close() }

// do sends a complete request and returns the body of the answer, which is
// valid until the next call. A status other than 200 is an error.
func (c *conn) do(request []byte) ([]byte, error) {
	if _, err := c.net.Write(request); err != nil {
		return nil, err
	}
	status, length, err := c.readHead()
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	c.body = c.body[:0]
	if length == chunked {
		err = c.readChunks()
	} else {
		err = c.readBytes(length)
	}
	if err != nil {
		return nil, fmt.Errorf("read an answer: %w", err)
	}
	if status != "200" {
		return nil, fmt.Errorf("status %s: %.500s", status, c.body)
	}
	return c.body, nil
}

// chunked stands for the length of a body in chunks.
const chunked = -1

func (c *conn) readHead() (status string, length int, err error) {
	line, err := c.readLine()
	if err != nil {
		return "", 0, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return "", 0, errors.New("this is not HTTP")
	}
	status, length = "200", chunked
	if code := line[9:12]; string(code) != status {
		status = string(code)
	}
	for {
		line, err := c.readLine()
		if err != nil || len(line) == 0 {
			return status, length, err
		}
		const name = "content-length:"
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return "", 0, err
			}
		}
	}
}

func (c *conn) readLine() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

func (c *conn) readBytes(n int) error {
	start := len(c.body)
	c.body = append(c.body, make([]byte, n)...)
	_, err := io.ReadFull(c.r, c.body[start:])
	return err
}

func (c *conn) readChunks() error {
	for {
		line, err := c.readLine()
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return err
		}
		if err := c.readBytes(int(n)); err != nil {
			return err
		}
		if end, err := c.readLine(); err != nil || len(end) > 0 {
			return errors.Join(err, errors.New("a chunk does not end"))
		}
		if n == 0 {
			return nil
		}
	}
}

// ask sends a GraphQL operation without a token and decodes its data.
func (c *conn) ask(document string, variables map[string]any, data any) error {
	request, err := graphRequest("", document, variables)
	if err != nil {
		return err
	}
	body, err := c.do(request)
	if err != nil {
		return err
	}
	if err := refuseErrors(body); err != nil {
		return err
	}
	return json.Unmarshal(body, &struct{ Data any }{data})
}

// refuseErrors returns an error if an answer has errors.
func refuseErrors(body []byte) error {
	if bytes.Contains(body, []byte(`"errors":[`)) || bytes.Contains(body, []byte(`"userErrors":[{`)) {
		return fmt.Errorf("the answer has errors: %.500s", body)
	}
	return nil
}

// graphRequest returns the HTTP request of a GraphQL operation.
func graphRequest(token, document string, variables map[string]any, headers ...string) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	if token != "" {
		headers = append(headers, "Authorization: Bearer "+token)
	}
	return httpRequest("POST", "/graphql", body, headers...), nil
}

// httpRequest returns the bytes of a request.
func httpRequest(method, path string, body []byte, headers ...string) []byte {
	head := method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	if body != nil {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	for _, h := range headers {
		head += h + "\r\n"
	}
	return append([]byte(strings.TrimSpace(head)+"\r\n\r\n"), body...)
}
