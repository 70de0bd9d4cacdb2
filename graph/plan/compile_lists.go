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

// connection compiles the selection of a connection whose nodes are the record at
// a location of the node.
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
	for _, s := range selected {
		v, err := c.pageValue(conn, node, entries, s, load)
		if err != nil {
			return err
		}
		conn.fields = append(conn.fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return nil
}

// limitRows loads the row beyond the page only if a field needs it.
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
	case "__typename":
		return typename(quoted(s.ObjectDefinition.Name)), nil
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

func (c *compilation) edge(conn *connection, node *query.Node, entries location, s graphql.CollectedField) ([]pageField, error) {
	var fields []pageField
	typ := s.Definition.Type.Name()
	for _, s := range c.fields(s.Selections, typ) {
		var v pageValue
		var inner *object
		var err error
		switch row := node.Record(); {
		case s.Name == "__typename":
			v = typename(quoted(typ))
		case s.Name == "cursor":
			conn.sortKey, v = node.SortKey(), cursor{}
		case s.Name == "node":
			inner, err = c.object(entries, s.Selections)
			v = entry{inner}
		case entries.join != row && s.Definition.Type.Name() == row.Type().Name:
			inner, err = c.object(location{entries.load, row}, s.Selections)
			v = entry{inner}
		default:
			err = errUnsupported{typ + "." + s.Name}
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return fields, nil
}

func (c *compilation) pageInfo(conn *connection, node *query.Node, s graphql.CollectedField) ([]pageField, error) {
	var fields []pageField
	for _, s := range c.fields(s.Selections, "PageInfo") {
		var v pageValue
		switch s.Name {
		case "__typename":
			v = typename(`"PageInfo"`)
		case "hasNextPage":
			conn.needsNextRow, v = true, hasNext{}
		case "hasPreviousPage":
			conn.needsNextRow, v = true, hasPrevious{}
		case "startCursor", "endCursor":
			conn.sortKey, v = node.SortKey(), endCursor{first: s.Name == "startCursor"}
		default:
			return nil, errUnsupported{"PageInfo." + s.Name}
		}
		fields = append(fields, pageField{s.Alias, quoted(s.Alias) + ":", v})
	}
	return fields, nil
}
