package streams

import (
	"bytes"
	"slices"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// maxNamed is how many doctor entries and accounts a subscription remembers.
const maxNamed = 5_000

// isConcerned reports whether news without the name of the account may change the answer.
func (s *subscription) isConcerned(news *store.News) bool {
	topics := news.Topics
	if s.isAdmin.Load() {
		topics |= news.Admins
	}
	topics &= s.Topics
	return topics&^s.Named != 0 || topics != 0 && (news.Records == nil || s.names(news.Records))
}

// names reports whether the answer has one of the records. The next answer may have any of
// them.
func (s *subscription) names(records []model.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy || s.named == nil || slices.ContainsFunc(records, func(id model.ID) bool {
		_, isNamed := s.named[id]
		return isNamed
	})
}

// namedIn returns the ids of doctor entries and accounts among the strings of a message, or
// nil if there are too many. A text that looks like an id does no harm.
func namedIn(message []byte) map[model.ID]struct{} {
	found := map[model.ID]struct{}{}
	for _, kind := range []model.Kind{model.KindDoctor, model.KindUser} {
		begin := []byte(`"` + kind + "_")
		for rest := message; len(found) <= maxNamed; {
			i := bytes.Index(rest, begin)
			if i < 0 {
				break
			}
			text, after, _ := bytes.Cut(rest[i+1:], []byte(`"`))
			found[model.ParseID(string(text))] = struct{}{}
			rest = after
		}
	}
	if len(found) > maxNamed {
		return nil
	}
	return found
}
