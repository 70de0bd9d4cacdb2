import type { GraphQLSchema } from 'graphql';
import { useEffect, useMemo, useState } from 'react';
import { callsOf, relationsIn, rightsOf, stranger, type TypeRights } from '../src/schema/rights';
import { enumValues, oneLine } from '../src/schema/rules';
import { Calls } from './Calls';
import { Controls } from './Controls';
import { contains, countOf, filtered, type Filter } from './filter';
import { RightsTable } from './RightsTable';
import { labelOf } from './words';

type Props = { schema: GraphQLSchema; onShown: () => void };

/** The page: who sees and sets which field, and who may call what. */
export function Rights({ schema, onShown }: Props) {
  const [filter, setFilter] = useState<Filter>({ words: '', relation: '', right: 'see' });
  const types = useMemo(() => rightsOf(schema), [schema]);
  const relations = useMemo(() => relationsOf(schema, types), [schema, types]);
  const shown = filtered(types, filter);
  const calls = [
    { title: 'Queries', calls: callsOf(schema, schema.getQueryType()) },
    { title: 'Mutations', calls: callsOf(schema, schema.getMutationType()) },
    { title: 'Subscriptions', calls: callsOf(schema, schema.getSubscriptionType()) },
  ];

  useEffect(onShown, []);

  return (
    <>
      <h1>Who sees what</h1>
      <p className="lead">
        The server works out how the caller is related to each record. Each field says which relations see its value and which
        set it. This page reads these rules from the <a href="../schema.graphqls">schema</a> that the server runs, so it cannot be
        out of date. A caller with several relations has the rights of all of them. <a href="#relations">The relations in words</a>.
      </p>
      <nav className="jump" aria-label="On this page">
        {[...types.map(({ name }) => name), ...calls.filter(({ calls }) => calls.length > 0).map(({ title }) => title)].map(name => (
          <a key={name} href={`#${name}`}>
            {name}
          </a>
        ))}
      </nav>
      <Controls filter={filter} relations={relations} onChange={setFilter} found={`${countOf(shown)} of ${countOf(types)} fields`} />
      {shown.map(type => (
        <RightsTable
          key={type.name}
          type={type}
          relations={filter.relation ? [filter.relation] : relationsIn(schema, types.find(({ name }) => name === type.name)!)}
        />
      ))}
      {shown.length === 0 && <p>No field is like that.</p>}
      {filter.relation === '' &&
        calls.map(({ title, calls }) => (
          <Calls key={title} title={title} calls={calls.filter(({ name, words, access }) => contains(`${name} ${words} ${access.name}`, filter.words))} />
        ))}
      <Legend schema={schema} relations={relations} />
    </>
  );
}

/** The relations of all types, in the order of the schema; the stranger's is the last one. */
function relationsOf(schema: GraphQLSchema, types: TypeRights[]): string[] {
  const used = new Set(types.flatMap(type => relationsIn(schema, type)));
  const named = enumValues(schema, 'Relation').map(({ name }) => name);
  return [...named.filter(name => used.has(name) && name !== stranger), stranger];
}

/** The relations in words. */
function Legend({ schema, relations }: { schema: GraphQLSchema; relations: string[] }) {
  const words = new Map(enumValues(schema, 'Relation').map(({ name, description }) => [name, oneLine(description)]));
  return (
    <section id="relations" className="legend" aria-labelledby="title-relations">
      <h2 id="title-relations">The relations</h2>
      <dl>
        {relations.map(name => (
          <div key={name} id={name}>
            <dt>
              {labelOf(name)} <code>{name}</code>
            </dt>
            <dd>{name === stranger ? 'An account with none of the other relations: a stranger.' : words.get(name)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
