package store_test

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/query"
)

// readAttempts has nested loads on each way to a row: by id, by ids, by lists and counts,
// and from one record to the next.
func readAttempts() map[string]attempt {
	return map[string]attempt{
		"Fetch": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			var said []string
			for _, loads := range everyLoad(s, v, at) {
				err := fetch(ctx, s, v, loads)
				said = append(said, resultText(loadsText(loads), err))
			}
			if v != nil { // with the session of another account
				v = &model.Viewer{UserID: v.UserID, Role: v.Role, SessionID: at.session, Grants: v.Grants}
			}
			for _, loads := range everyLoad(s, v, at) {
				_, err := fetchConfirming(ctx, s, v, loads)
				said = append(said, resultText(loadsText(loads), err))
			}
			return said
		},
	}
}

// loadsText returns all values of all rows as a text.
func loadsText(loads []*query.Load) string {
	text := ""
	for _, load := range loads {
		if load.Rows == nil {
			return "nothing"
		}
		text += fmt.Sprintf("%d rows", load.Rows.Len())
		for row := range load.Rows.Len() {
			value, _ := load.Rows.Value(row, 0)
			text += fmt.Sprintf(" %x", value)
		}
	}
	return text
}

func everyLoad(s *store.Store, v *model.Viewer, at target) [][]*query.Load {
	node := func(typ string) *query.Node { return s.Records().Type(typ).Node() }
	must := func(load *query.Load, err error) *query.Load {
		if err != nil {
			panic(err)
		}
		return load
	}
	everywhere := PatientQuery{Deleted: model.DeletedInclude}
	patient, mapping := node("Patient"), node("Mapping")
	ofDoctor, joined := node("Doctor"), node("Mapping")
	entry, _ := joined.Record().One("doctor")
	viaDoctor, viaJoined := mappingsOf(ofDoctor.Record()), mappingsOf(entry)
	root := ofDoctor.One(at.doctor)
	list := must(joined.List(nil, argsOf(MappingQuery{})))
	return [][]*query.Load{
		{patient.One(at.patient)},
		{patient.ByIDs([]int64{at.patient, at.deletedPatient})},
		{must(patient.List(v, argsOf(everywhere)))},
		{must(patient.List(v, argsOf(everywhere))).Count()},
		{node("Doctor").One(at.doctor)},
		{mapping.One(at.mapping)},
		{mapping.ByIDs([]int64{at.mapping, at.endedMapping})},
		{must(mapping.List(nil, argsOf(MappingQuery{})))},
		{must(mapping.List(nil, argsOf(MappingQuery{}))).Count()},
		{must(viaDoctor.ListOf(root, listArgs(model.PageArgs{}, nil)))},
		{must(viaJoined.ListOf(list, listArgs(model.PageArgs{}, nil)))},
	}
}
