package query

import "github.com/caregraph/caregraph/model"

// EntryList is a list that shows a record of a payload as an entry.
type EntryList struct {
	*RecordType // of the rows

	// Below is the list of a record, nil for the list of Query.
	Below *List
}

// EntryList returns the list with the field of payloads, or false if there is none.
func (t *RecordType) EntryList(field string) (EntryList, bool) {
	if t.Root != nil && t.Root.Entry == field {
		return EntryList{t, nil}, true
	}
	for _, other := range t.records.types {
		if l := find(other.Many, func(l List) bool { return l.of == t && l.Entry == field }); l != nil {
			return EntryList{t, l}, true
		}
	}
	return EntryList{}, false
}

// Select returns the order of the list, which args may choose for the list of Query, and
// the conditions of the entry with the id.
func (e EntryList) Select(id int64, args Args) (Sorting, []Condition) {
	conditions := []Condition{Where(e.Alias+".id = ?", id)}
	if e.Below == nil {
		return e.Sorting(args), conditions
	}
	return e.Below.Sorting(nil), append(conditions, e.Below.Where(nil)...)
}

// EntryPage is the page of one entry.
func EntryPage() model.Page { return model.Page{Limit: 1} }

// Node returns a new node of entries of the list.
func (e EntryList) Node() *Node {
	n := e.RecordType.Node()
	n.list = e.Below
	return n
}

// EntryOf loads the live record with the id as an entry of the list, if it is one.
func (n *Node) EntryOf(e EntryList, id int64, args Args) *Load {
	order, conditions := e.Select(id, args)
	return &Load{
		node: n, order: order, page: EntryPage(), pageOnly: true,
		Selection: Selection{Path: Lookup, Deleted: model.DeletedExclude, Conditions: conditions},
	}
}
