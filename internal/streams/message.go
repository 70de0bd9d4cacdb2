package streams

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/caregraph/caregraph/internal/gqlhttp"
	"github.com/caregraph/caregraph/model"
)

// The types of messages of graphql-transport-ws.
const (
	typeInit      = "connection_init"
	typeSubscribe = "subscribe"
	typeComplete  = "complete"
	typePing      = "ping"
	typePong      = "pong"
)

const (
	messageAck  = `{"type":"connection_ack"}`
	messagePong = `{"type":"pong"}`
)

// message is a message of a client.
type message struct {
	Type    string
	ID      string
	Payload json.RawMessage
}

// readMessage reports false for a message that the protocol does not have.
func readMessage(kind websocket.MessageType, text []byte) (m message, ok bool) {
	if kind != websocket.MessageText || !utf8.Valid(text) || model.IsDeepJSON(text) || json.Unmarshal(text, &m) != nil {
		return m, false
	}
	switch m.Type {
	case typeInit, typePing, typePong:
		return m, true
	case typeComplete:
		return m, m.ID != ""
	case typeSubscribe:
		return m, m.ID != "" && len(m.Payload) > 0 && m.Payload[0] == '{'
	default:
		return m, false
	}
}

// roomForBell is enough for a message with the answer of a bell, without its id.
const roomForBell = 96

func appendHead(id, typ string) []byte {
	b := append(make([]byte, 0, len(id)+roomForBell), `{"id":`...)
	return append(append(append(model.AppendText(b, id), `,"type":"`...), typ...), '"')
}

func completeMessage(id string) []byte { return append(appendHead(id, typeComplete), '}') }

// nextMessage returns the message with a response.
func nextMessage(id string, response *graphql.Response) ([]byte, error) {
	b, err := gqlhttp.AppendResponse(append(appendHead(id, "next"), `,"payload":`...), response)
	if err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// errorMessage returns the message that an operation was not executed.
func errorMessage(id string, errs gqlerror.List) ([]byte, error) {
	list, err := json.Marshal(errs)
	if err != nil {
		return nil, err
	}
	return append(append(append(appendHead(id, "error"), `,"payload":`...), list...), '}'), nil
}
