package streams

import "time"

// SetInit sets how long a socket may be open without a token.
func (s *Streams) SetInit(timeout time.Duration) { s.initTimeout = timeout }

// SetPing sets the time between two pings.
func (s *Streams) SetPing(every time.Duration) { s.pingEvery = every }

// SetWrite sets how long a client may take to receive a message or to answer a ping.
func (s *Streams) SetWrite(timeout time.Duration) { s.writeTimeout = timeout }

// Open returns how many streams are open.
func (s *Streams) Open() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return count(s.accounts)
}
