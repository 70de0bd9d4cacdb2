package store_test

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/store/query"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// readAttempts are nested reads by each way to a row: by id, by ids, by lists
// and counts, and from one record to the next.
func readAttempts() map[string]attempt {
	return map[string]attempt{
		"Fetch": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			var said []string
			for _, reads := range everyRead(s, v, at) {
				err := fetch(ctx, s, v, reads)
				said = append(said, say(everything(reads), err))
			}
			if v != nil { // with a session that somebody else has
				v = &model.Viewer{UserID: v.UserID, Role: v.Role, SessionID: at.session}
			}
			for _, reads := range everyRead(s, v, at) {
				_, err := fetchConfirming(ctx, s, v, reads)
				said = append(said, say(everything(reads), err))
			}
			return said
		},
	}
}

// everything is all values of all rows, once they have been read.
func everything(reads []*query.Load) string {
	text := ""
	for _, read := range reads {
		if read.Rows == nil {
			return "nothing"
		}
		text += fmt.Sprintf("%d rows", read.Rows.Len())
		for row := range read.Rows.Len() {
			value, _ := read.Rows.Value(row, 0)
			text += fmt.Sprintf(" %x", value)
		}
	}
	return text
}

func everyRead(s *store.Store, v *model.Viewer, at target) [][]*query.Load {
	level := func(typ string) *query.Node { return s.Records().Type(typ).Node() }
	must := func(read *query.Load, err error) *query.Load {
		if err != nil {
			panic(err)
		}
		return read
	}
	everywhere := PatientQuery{Deleted: model.DeletedInclude}
	patient, mapping := level("Patient"), level("Mapping")
	ofDoctor, joined := level("Doctor"), level("Mapping")
	entry, _ := joined.Record().One("doctor")
	viaDoctor, viaJoined := mappingsOf(ofDoctor.Record()), mappingsOf(entry)
	root := ofDoctor.One(at.doctor)
	list := must(joined.List(nil, argsOf(MappingQuery{})))
	return [][]*query.Load{
		{patient.One(at.patient)},
		{patient.ByIDs([]int64{at.patient, at.deletedPatient})},
		{must(patient.List(v, argsOf(everywhere)))},
		{must(patient.List(v, argsOf(everywhere))).Count()},
		{level("Doctor").One(at.doctor)},
		{mapping.One(at.mapping)},
		{mapping.ByIDs([]int64{at.mapping, at.endedMapping})},
		{must(mapping.List(nil, argsOf(MappingQuery{})))},
		{must(mapping.List(nil, argsOf(MappingQuery{}))).Count()},
		{must(viaDoctor.ListOf(root, listArgs(model.PageArgs{}, nil)))},
		{must(viaJoined.ListOf(list, listArgs(model.PageArgs{}, nil)))},
	}
}
