package pgpipe

// Hold makes every request of RunShared wait until release is called. waiting returns
// how many wait.
func Hold(p *Pool) (waiting func() int, release func()) {
	c, held := &p.coalescer, 0
	for c.inFlight < c.maxInFlight {
		c.join(&waiter{})
		held++
	}
	waiting = func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.waiting)
	}
	return waiting, func() {
		for range held {
			c.release()
		}
	}
}
