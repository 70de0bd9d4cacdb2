package pgpipe

import "slices"

// turns is a FIFO for each client. The clients take turns.
type turns[T comparable] struct {
	lines map[Client]*line[T]
	ring  []*line[T] // no line is empty; the first has the next turn
	count int
}

type line[T any] struct {
	client Client
	items  []T
}

// add appends an item to the line of a client. Probes have the first turn.
func (t *turns[T]) add(c Client, item T) {
	l := t.lines[c]
	switch {
	case l != nil:
	case c == probes:
		l = &line[T]{client: c}
		t.ring = slices.Insert(t.ring, 0, l)
	default:
		l = &line[T]{client: c}
		t.ring = append(t.ring, l)
	}
	if t.lines == nil {
		t.lines = map[Client]*line[T]{}
	}
	t.lines[c] = l
	l.items = append(l.items, item)
	t.count++
}

// take removes and returns the first item of the next client that may have a turn.
func (t *turns[T]) take(may func(Client, T) bool) (item T, ok bool) {
	for i, l := range t.ring {
		if !may(l.client, l.items[0]) {
			continue
		}
		item = l.items[0]
		t.ring = append(slices.Delete(t.ring, i, i+1), l)
		t.delete(l, 0)
		return item, true
	}
	return item, false
}

// remove removes an item that may still wait, and reports whether it did.
func (t *turns[T]) remove(c Client, item T) bool {
	l := t.lines[c]
	if l == nil {
		return false
	}
	i := slices.Index(l.items, item)
	if i >= 0 {
		t.delete(l, i)
	}
	return i >= 0
}

func (t *turns[T]) delete(l *line[T], i int) {
	t.count--
	if l.items = slices.Delete(l.items, i, i+1); len(l.items) > 0 {
		return
	}
	delete(t.lines, l.client)
	at := slices.Index(t.ring, l)
	t.ring = slices.Delete(t.ring, at, at+1)
}

// onlyOf reports whether no other client waits.
func (t *turns[T]) onlyOf(c Client) bool {
	return len(t.ring) == 0 || len(t.ring) == 1 && t.ring[0].client == c
}
