package graph

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/model"
)

// TestIntrospection_ComputesOneAnswerAtATime, each once, and refuses a crowd.
func TestIntrospection_ComputesOneAnswerAtATime(t *testing.T) {
	t.Parallel()
	cache := newIntrospection()
	key := func(n byte) [sha256.Size]byte { return sha256.Sum256([]byte{n}) }
	var running, computed, refused atomic.Int32
	hold := make(chan struct{})
	compute := func() *graphql.Response {
		if running.Add(1) > 1 {
			t.Error("two answers are computed at once")
		}
		defer running.Add(-1)
		computed.Add(1)
		<-hold
		return &graphql.Response{Data: []byte("{}")}
	}
	var all sync.WaitGroup
	const crowd = 100
	left := make(chan struct{}, crowd)
	for n := range crowd {
		all.Go(func() {
			defer func() { left <- struct{}{} }()
			out, err := cache.answer(context.Background(), key(byte(n%4)), compute)
			switch {
			case model.CodeOf(err) == model.CodeRateLimited:
				refused.Add(1)
			case err != nil || string(out.Data) != "{}":
				t.Errorf("%v, %v", out, err)
			}
		})
	}
	for range crowd - maxIntrospectionTurns {
		<-left
	}
	close(hold)
	all.Wait()
	if refused.Load() != crowd-maxIntrospectionTurns || computed.Load() > 4 {
		t.Errorf("%d were refused, and %d computed", refused.Load(), computed.Load())
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	cache.turn <- struct{}{}
	if _, err := cache.answer(ended, key(9), compute); err == nil {
		t.Error("a request waits after its end")
	}
}
