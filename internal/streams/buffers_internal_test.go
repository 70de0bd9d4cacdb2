package streams

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

// hijackable is a response whose client has sent more than its request.
type hijackable struct {
	http.ResponseWriter

	conn  net.Conn
	early string
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	reader := bufio.NewReaderSize(strings.NewReader(h.early), 4096)
	_, err := reader.Peek(len(h.early))
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.conn, 4096)), err
}

// TestSmallBuffers_LoseNothing that the client has sent before the connection changed its
// protocol.
func TestSmallBuffers_LoseNothing(t *testing.T) {
	t.Parallel()
	for _, early := range []string{"", "one message", strings.Repeat("many messages ", 200)} {
		client, conn := net.Pipe()
		got, buffers, err := smallBuffers{hijackable{conn: conn, early: early}}.Hijack()
		testutil.Must(t, err)
		text, err := io.ReadAll(io.LimitReader(buffers, int64(buffers.Reader.Buffered())))
		testutil.Must(t, err)
		if got != conn || string(text) != early {
			t.Errorf("%d of %d bytes are there", len(text), len(early))
		}
		if buffers.Reader.Size() > max(socketBuffer, len(early)) || buffers.Writer.Size() != socketBuffer {
			t.Errorf("buffers of %d and %d bytes", buffers.Reader.Size(), buffers.Writer.Size())
		}
		_ = client.Close()
		_ = conn.Close()
	}
}
