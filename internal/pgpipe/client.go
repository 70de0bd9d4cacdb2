package pgpipe

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"
)

// Client is who shares connections fairly with others: an account, or an address
// without one. The zero Client is the server itself.
type Client struct {
	Account int64
	Addr    netip.Addr
}

// Clients of the server. No account has such an id.
var (
	// roundTrips is the client of shared round trips.
	roundTrips = Client{Account: -1}
	// probes is the client of AcquireFirst.
	probes = Client{Account: -2}
)

// Request is what the queues know of a request. Its statements have it in their
// context under RequestKey.
type Request struct {
	Client Client
	// Measure measures the request; nil for most.
	Measure *Measure

	trips  atomic.Int64
	waited atomic.Int64 // nanoseconds
}

// Used returns how often the request has sent statements, and how long it has waited for
// connections, and for its turn in shared round trips. Waits that overlap all count.
func (r *Request) Used() (trips int64, waited time.Duration) {
	return r.trips.Load(), time.Duration(r.waited.Load())
}

// sends counts statements that are sent together.
func (r *Request) sends(statements int) {
	if r != nil {
		r.trips.Add(1)
		r.Measure.count(statements)
	}
}

// hasWaited counts a wait.
func (r *Request) hasWaited(d time.Duration) {
	if r != nil {
		r.waited.Add(int64(d))
	}
}

// RequestKey is the key of a *Request in a context.
type RequestKey struct{}

func requestOf(ctx context.Context) *Request {
	r, _ := ctx.Value(RequestKey{}).(*Request)
	return r
}

func (r *Request) client() Client {
	if r == nil {
		return Client{}
	}
	return r.Client
}

func (r *Request) measure() *Measure {
	if r == nil {
		return nil
	}
	return r.Measure
}
