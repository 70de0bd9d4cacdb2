package streams

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
)

// readBuffer and socketBuffer are the sizes of the two buffers of a WebSocket, for what it reads
// and writes. Package http has 4 KB for each, which would be more than all else that an idle
// socket has. A longer message needs no buffer.
const readBuffer, socketBuffer = 128, 512

// smallBuffers gives a connection small buffers when it changes its protocol.
type smallBuffers struct{ http.ResponseWriter }

// Hijack is that of http.Hijacker.
func (w smallBuffers) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, large, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := large.Peek(large.Reader.Buffered()) // what the client has sent already
	reader := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(readBuffer, len(early)))
	_, _ = reader.Peek(len(early)) // now it has them, and the caller sets the source of the rest
	return conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(conn, socketBuffer)), nil
}
