package plan

import (
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/store"
)

// lists are the fields of a record that are pages of its mappings, or of the
// records at their other ends.
var lists = map[string]struct{ other string }{
	"Patient.mappings": {},
	"Doctor.mappings":  {},
	"Patient.doctors":  {other: "doctor"},
	"Doctor.patients":  {other: "patient"},
}

// listOf compiles a page of the mappings of a record, or of the records at
// their other ends.
func (c *compilation) listOf(at place, f graphql.CollectedField, other string) (value, error) {
	slot := c.arguments(at.typ, f)
	level := c.Store.LevelOf(at.record)
	conn := &connection{parent: at.record.ID(), present: -1}
	own := level.Record()
	entries := place{record: own, typ: "Mapping"}
	if other != "" {
		joined, ok := own.Join(other)
		if !ok {
			return nil, errors.New("a mapping names no " + other)
		}
		entries = place{record: joined, typ: c.Schema.Types[f.Definition.Type.Name()].Fields.ForName("nodes").Type.Name()}
		conn.present = joined.Present()
	}
	ask := func(r *run) (*store.Read, error) {
		above := r.reads[at.read]
		if above == nil {
			return nil, nil //nolint:nilnil // nothing to hang on
		}
		args, active := r.args[slot], true
		isActive := &active
		if other == "" {
			isActive = args["isActive"].(*bool)
		}
		return level.ReadMappingsOf(above, at.record, PageArgs(args), isActive)
	}
	return conn, c.connection(conn, level, entries, f, ask)
}

// connection compiles the selection of a connection whose entries are the
// record at a place of the level.
func (c *compilation) connection(conn *connection, level *store.Level, entries place, f graphql.CollectedField, ask asker) error {
	if len(c.plan.askers) >= mostReads {
		return uncovered{ReasonSize}
	}
	typ := f.Definition.Type.Name()
	conn.read, conn.count = -1, -1
	conn.id = level.Record().ID()
	selected := c.fields(f.Selections, typ)
	if slices.ContainsFunc(selected, func(s graphql.CollectedField) bool {
		return s.Name == "nodes" || s.Name == "edges" || s.Name == "pageInfo"
	}) {
		conn.read = c.plan.read(conn.peeking(ask))
	} else {
		c.plan.read(ask.check)
	}
	entries.read = conn.read
	for _, s := range selected {
		v, err := c.pageValue(conn, level, entries, s, ask)
		if err != nil {
			return err
		}
		conn.fields = append(conn.fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return nil
}

// peeking has the row beyond the page read only if something asks for it.
func (conn *connection) peeking(ask asker) asker {
	return func(r *run) (*store.Read, error) {
		read, err := ask(r)
		if read != nil && !conn.peeks {
			read.OnlyPage()
		}
		return read, err
	}
}

func (c *compilation) pageValue(conn *connection, level *store.Level, entries place, s graphql.CollectedField, ask asker) (pageValue, error) {
	switch s.Name {
	case "__typename":
		return typename(quoted(s.ObjectDefinition.Name)), nil
	case "nodes":
		o, err := c.object(entries, s.Selections)
		return nodes{o}, err
	case "edges":
		inner, err := c.edge(conn, level, entries, s)
		return edgeList{inner}, err
	case "pageInfo":
		inner, err := c.pageInfo(conn, level, s)
		return pageInfo{inner}, err
	case "totalCount":
		if conn.count < 0 {
			conn.count = c.plan.read(func(r *run) (*store.Read, error) {
				read, err := ask(r)
				if err != nil || read == nil {
					return nil, err
				}
				return read.Count(), nil
			})
		}
		return total{}, nil
	default:
		return nil, uncovered{s.ObjectDefinition.Name + "." + s.Name}
	}
}

func (c *compilation) edge(conn *connection, level *store.Level, entries place, s graphql.CollectedField) ([]pageField, error) {
	var fields []pageField
	typ := s.Definition.Type.Name()
	for _, s := range c.fields(s.Selections, typ) {
		var v pageValue
		var inner *object
		var err error
		switch s.Name {
		case "__typename":
			v = typename(quoted(typ))
		case "cursor":
			conn.sortKey, v = level.SortKey(), cursor{}
		case "node":
			inner, err = c.object(entries, s.Selections)
			v = entry{inner}
		case "mapping":
			inner, err = c.object(place{entries.read, level.Record(), "Mapping"}, s.Selections)
			v = entry{inner}
		default:
			err = uncovered{typ + "." + s.Name}
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return fields, nil
}

func (c *compilation) pageInfo(conn *connection, level *store.Level, s graphql.CollectedField) ([]pageField, error) {
	var fields []pageField
	for _, s := range c.fields(s.Selections, "PageInfo") {
		var v pageValue
		switch s.Name {
		case "__typename":
			v = typename(`"PageInfo"`)
		case "hasNextPage":
			conn.peeks, v = true, hasNext{}
		case "hasPreviousPage":
			conn.peeks, v = true, hasPrevious{}
		case "startCursor", "endCursor":
			conn.sortKey, v = level.SortKey(), endCursor{first: s.Name == "startCursor"}
		default:
			return nil, uncovered{"PageInfo." + s.Name}
		}
		fields = append(fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return fields, nil
}
