package streams

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

const (
	// newsEvery is how often the feed is read without a bell, and newsAfter is the time from
	// a bell to the read, in which more changes may come.
	newsEvery = time.Second
	newsAfter = 100 * time.Millisecond
	// newsTimeout bounds one read of the feed.
	newsTimeout = 5 * time.Second
	// othersEvery is how often queries answer again whose changes are in no feed.
	othersEvery = 10 * time.Second
	// maxSpread is the time over which the subscriptions answer that the same change wakes,
	// and spreadEach the part of it that each of them has.
	maxSpread  = 5 * time.Second
	spreadEach = time.Millisecond / 2
)

// followNews tells the subscriptions what the change feed has, until ctx ends. Without a
// subscription it reads nothing.
func (s *Streams) followNews(ctx context.Context) {
	var at store.FeedPosition
	ticker, others, midnight := time.NewTicker(newsEvery), time.NewTicker(othersEvery), time.NewTimer(toMidnight(s.Now()))
	defer ticker.Stop()
	defer others.Stop()
	defer midnight.Stop()
	for {
		if s.isFollowed() {
			at = s.readNews(ctx, at)
		} else {
			at = store.FeedPosition{}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.bell:
			if at != (store.FeedPosition{}) {
				wait(ctx, newsAfter)
			}
		case <-others.C:
			s.refresh(model.TopicOthers)
		case <-midnight.C: // patients are a day older
			s.refresh(model.TopicPatients)
			midnight.Reset(toMidnight(s.Now()))
		}
	}
}

// toMidnight returns the time until the next day begins in India, where birthdays are.
func toMidnight(now time.Time) time.Duration {
	year, month, day := now.In(model.India).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, model.India).Sub(now)
}

// refresh lets the queries of topics answer again. Bells do not ring.
func (s *Streams) refresh(topics model.Topics) {
	s.mu.Lock()
	var stale []*subscription
	for sub := range s.following(topics) {
		if !sub.IsBell {
			stale = append(stale, sub)
		}
	}
	s.mu.Unlock()
	wakeAll(stale)
}

// wakeAll wakes subscriptions, many of them not at the same time.
func wakeAll(subs []*subscription) {
	spread := min(time.Duration(len(subs))*spreadEach, maxSpread)
	for _, sub := range subs {
		sub.wake(spread)
	}
}

// isFollowed reports whether there are subscriptions.
func (s *Streams) isFollowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows = s.follows && len(s.subscriptions) > 0
	return len(s.subscriptions) > 0
}

// readNews returns the next position in the feed, or the same one after an error. The end
// of ctx does not stop a read that has begun. With the first position all subscriptions
// answer, so that no change comes between.
func (s *Streams) readNews(ctx context.Context, at store.FeedPosition) store.FeedPosition {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), newsTimeout)
	defer cancel()
	news, next, err := s.Store.News(ctx, at)
	switch {
	case at == (store.FeedPosition{}):
		wakeAll(s.begun(err == nil))
	case err == nil:
		s.Tell(news)
	}
	return next
}

// begun returns all subscriptions. If the server follows the feed from now on, new ones need
// not wait for it.
func (s *Streams) begun(follows bool) (all []*subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follows = follows
	for _, subs := range s.subscriptions {
		all = slices.AppendSeq(all, maps.Keys(subs))
	}
	return all
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// ring has the feed read soon.
func (s *Streams) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// Tell wakes the subscriptions whose answers may have changed.
func (s *Streams) Tell(news *store.News) {
	named, others := s.concerned(news)
	for _, sub := range named {
		sub.wake(0)
	}
	wakeAll(others)
}

// concerned returns the subscriptions of accounts that the news name, and all others that
// they concern.
func (s *Streams) concerned(news *store.News) (named, others []*subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes, s.lag = s.changes+int64(news.Changes), news.Lag
	for account, topics := range news.Accounts {
		for sub := range s.subscriptions[account] {
			if sub.Topics&topics != 0 {
				named = append(named, sub)
			}
		}
	}
	ask := func(sub *subscription) {
		if sub.Topics&news.Accounts[sub.account] == 0 && sub.isConcerned(news) {
			others = append(others, sub)
		}
	}
	for sub := range s.admins {
		ask(sub)
	}
	for sub := range s.following(news.Topics) {
		if _, isAdmin := s.admins[sub]; !isAdmin {
			ask(sub)
		}
	}
	return named, others
}

// following returns the subscriptions that have one of the topics. It must be called with the
// lock.
func (s *Streams) following(one model.Topics) iter.Seq[*subscription] {
	return func(yield func(*subscription) bool) {
		for topics, subs := range s.followers {
			if topics&one == 0 {
				continue
			}
			for sub := range subs {
				if !yield(sub) {
					return
				}
			}
		}
	}
}
