package store_test

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// readAttempts are nested reads by each way to a row: by id, by ids, by lists
// and counts, and from one record to the next.
func readAttempts() map[string]attempt {
	return map[string]attempt{
		"Read": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			var said []string
			for _, reads := range everyRead(s, v, at) {
				err := s.Read(ctx, v, reads)
				said = append(said, say(everything(reads), err))
			}
			return said
		},
		"ReadConfirming": func(ctx context.Context, s *store.Store, v *model.Viewer, at target) []string {
			var said []string
			if v != nil { // with a session that somebody else has
				v = &model.Viewer{UserID: v.UserID, Role: v.Role, SessionID: at.session}
			}
			for _, reads := range everyRead(s, v, at) {
				_, err := s.ReadConfirming(ctx, v, reads)
				said = append(said, say(everything(reads), err))
			}
			return said
		},
	}
}

// everything is all values of all rows, once they have been read.
func everything(reads []*store.Read) string {
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

func everyRead(s *store.Store, v *model.Viewer, at target) [][]*store.Read {
	level := func(typ string) *store.Level {
		l, err := s.Level(typ)
		if err != nil {
			panic(err)
		}
		l.Record().ID()
		return l
	}
	must := func(read *store.Read, err error) *store.Read {
		if err != nil {
			panic(err)
		}
		return read
	}
	everywhere := store.PatientQuery{Deleted: model.DeletedInclude}
	patient, mapping := level("Patient"), level("Mapping")
	ofDoctor, joined := level("Doctor"), level("Mapping")
	entry, _ := joined.Record().Join("doctor")
	viaDoctor, viaJoined := s.LevelOf(ofDoctor.Record()), s.LevelOf(entry)
	root := ofDoctor.ReadOne(at.doctor)
	list := must(joined.ReadMappings(store.MappingQuery{}))
	return [][]*store.Read{
		{patient.ReadOne(at.patient)},
		{patient.ReadByIDs([]int64{at.patient, at.deletedPatient})},
		{must(patient.ReadPatients(v, everywhere))},
		{must(patient.ReadPatients(v, everywhere)).Count()},
		{level("Doctor").ReadOne(at.doctor)},
		{mapping.ReadOne(at.mapping)},
		{mapping.ReadByIDs([]int64{at.mapping, at.endedMapping})},
		{must(mapping.ReadMappings(store.MappingQuery{}))},
		{must(mapping.ReadMappings(store.MappingQuery{})).Count()},
		{must(viaDoctor.ReadMappingsOf(root, ofDoctor.Record(), model.PageArgs{}, nil))},
		{must(viaJoined.ReadMappingsOf(list, entry, model.PageArgs{}, nil))},
	}
}
