package plan

import (
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/store/query"
)

// listOf compiles a page of the list of a record.
func (c *compilation) listOf(at location, f graphql.CollectedField, node *query.Node) (value, error) {
	args := c.arguments(at.typ(), f)
	conn := &connection{parent: at.join.ID(), present: -1}
	entries := location{join: node.Entry()}
	if entries.join != node.Record() {
		conn.present = entries.join.Present()
	}
	return conn, c.connection(conn, node, entries, f, func(x *Execution) (*query.Load, error) {
		above := x.loads[at.load]
		if above == nil {
			return nil, nil //nolint:nilnil // no record has the list
		}
		return node.ListOf(above, x.args[args])
	})
}

// connection compiles the selection of a connection with the nodes at a location.
func (c *compilation) connection(conn *connection, node *query.Node, entries location, f graphql.CollectedField, load loader) error {
	if len(c.plan.loads) >= maxLoads {
		return errUnsupported{ReasonSize}
	}
	typ := f.Definition.Type.Name()
	conn.load, conn.count = -1, -1
	conn.id = node.Record().ID()
	selected := c.fields(f.Selections, typ)
	if slices.ContainsFunc(selected, func(s graphql.CollectedField) bool {
		return s.Name == "nodes" || s.Name == "edges" || s.Name == "pageInfo"
	}) {
		conn.load = c.plan.load(conn.limitRows(load))
	} else {
		c.plan.load(load.check)
	}
	entries.load = conn.load
	var err error
	conn.fields, err = c.pageFields(f, func(s graphql.CollectedField) (pageValue, error) {
		return c.pageValue(conn, node, entries, s, load)
	})
	return err
}

// pageFields compiles the selection of a connection, its edges or its page info.
func (c *compilation) pageFields(f graphql.CollectedField, compile func(graphql.CollectedField) (pageValue, error)) (fields []pageField, err error) {
	typ := f.Definition.Type.Name()
	for _, s := range c.fields(f.Selections, typ) {
		var v pageValue = typename(quoted(typ))
		if s.Name != "__typename" {
			if v, err = compile(s); err != nil {
				return nil, err
			}
		}
		fields = append(fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return fields, nil
}

// limitRows omits the row beyond the page unless a field needs it.
func (conn *connection) limitRows(load loader) loader {
	return func(x *Execution) (*query.Load, error) {
		l, err := load(x)
		if l != nil && !conn.needsNextRow {
			l.PageOnly()
		}
		return l, err
	}
}

func (c *compilation) pageValue(conn *connection, node *query.Node, entries location, s graphql.CollectedField, load loader) (pageValue, error) {
	switch s.Name {
	case "nodes":
		o, err := c.object(entries, s.Selections)
		return nodes{o}, err
	case "edges":
		inner, err := c.edge(conn, node, entries, s)
		return edgeList{inner}, err
	case "pageInfo":
		inner, err := c.pageInfo(conn, node, s)
		return pageInfo{inner}, err
	case "totalCount":
		if conn.count < 0 {
			conn.count = c.plan.load(func(x *Execution) (*query.Load, error) {
				l, err := load(x)
				if err != nil || l == nil {
					return nil, err
				}
				return l.Count(), nil
			})
		}
		return total{}, nil
	default:
		return nil, errUnsupported{s.ObjectDefinition.Name + "." + s.Name}
	}
}

func (c *compilation) edge(conn *connection, node *query.Node, entries location, f graphql.CollectedField) ([]pageField, error) {
	return c.pageFields(f, func(s graphql.CollectedField) (pageValue, error) {
		at := entries
		switch row := node.Record(); {
		case s.Name == "cursor":
			conn.sortKey = node.SortKey()
			return cursor{}, nil
		case s.Name == "node":
		case entries.join != row && s.Definition.Type.Name() == row.Type().Name:
			at.join = row
		default:
			return nil, errUnsupported{s.ObjectDefinition.Name + "." + s.Name}
		}
		inner, err := c.object(at, s.Selections)
		return entry{inner}, err
	})
}

func (c *compilation) pageInfo(conn *connection, node *query.Node, f graphql.CollectedField) ([]pageField, error) {
	return c.pageFields(f, func(s graphql.CollectedField) (pageValue, error) {
		switch s.Name {
		case "hasNextPage":
			conn.needsNextRow = true
			return hasNext{}, nil
		case "hasPreviousPage":
			conn.needsNextRow = true
			return hasPrevious{}, nil
		case "startCursor", "endCursor":
			conn.sortKey = node.SortKey()
			return endCursor{first: s.Name == "startCursor"}, nil
		default:
			return nil, errUnsupported{"PageInfo." + s.Name}
		}
	})
}
