package query

import (
	"fmt"
	"strings"

	"github.com/caregraph/caregraph/model"
)

// end is one end of a relation between two records: a field that leads from a record of
// one type to records of another.
type end struct {
	field string // "Doctor.account"
	// columns names the relation, whichever end it is seen from.
	columns string
	// admits are the callers who learn from the field that two records are related: they
	// can see both, the mapping between them if there is one, and the field.
	admits model.Relations
}

// ends returns the fields of the type that lead to other records.
func (t *RecordType) ends() []end {
	var all []end
	for _, e := range t.One {
		there, here := e.to.Table+"."+e.Key, t.Table+"."+e.From
		all = append(all, t.end(e.Field, there, here, e.to))
	}
	for _, l := range t.Many {
		if l.Node == "" {
			all = append(all, t.end(l.Field, l.of.Table+"."+l.Key, t.Table+".id", l.of))
			continue
		}
		node := l.of.Edge(l.Node)
		all = append(all, t.end(l.Field, l.of.Table+"."+node.From, l.of.Table+"."+l.Key, l.of, node.to))
	}
	return all
}

func (t *RecordType) end(field, one, other string, over ...*RecordType) end {
	admits := t.rule().Exists & t.rule().Fields[field].Read
	for _, of := range over {
		admits &= of.rule().Exists
	}
	return end{field: t.Name + "." + field, columns: min(one, other) + " = " + max(one, other), admits: admits}
}

// checkEnds returns an error for two fields that show the same relation, one of them to
// more callers than the other.
func (r *Records) checkEnds() error {
	seen := map[string]end{}
	for _, t := range r.types {
		for _, e := range t.ends() {
			other, known := seen[e.columns]
			if known && other.admits != e.admits {
				return fmt.Errorf("%s and %s show the same relation, but to different callers: %s; %s", other.field, e.field,
					strings.Join(other.admits.Names(), ", "), strings.Join(e.admits.Names(), ", "))
			}
			seen[e.columns] = e
		}
	}
	return nil
}
