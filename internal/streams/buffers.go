package streams

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
)

// socketBuffer is the size of the two buffers of a WebSocket. Package http has 4 KB for each,
// which would be a third of the memory of an idle socket. A longer message needs no buffer.
const socketBuffer = 512

// smallBuffers gives a connection small buffers when it changes its protocol.
type smallBuffers struct{ http.ResponseWriter }

// Hijack is that of http.Hijacker.
func (w smallBuffers) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, large, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := large.Peek(large.Reader.Buffered()) // what the client has sent already
	reader := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(socketBuffer, len(early)))
	_, _ = reader.Peek(len(early)) // now it has them, and the caller sets the source of the rest
	return conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(conn, socketBuffer)), nil
}
