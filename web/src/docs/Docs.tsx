import type { GraphQLSchema } from 'graphql';
import { useState } from 'react';
import { useSchema } from '../schema/schema';
import { CloseIcon, LeftIcon } from '../shell/icons';
import { changeLook, useIsPhone } from '../shell/look';
import { TypePage } from './TypePage';
import { back, useTrail, visit } from './page';
import { search, types } from './search';

/** The docs of the schema: search, types, fields and arguments, and who may read them. */
export function Docs() {
  const schema = useSchema();
  const trail = useTrail();
  const isPhone = useIsPhone();
  const [text, setText] = useState('');
  const page = trail.at(-1)!;
  const go = (type?: string, field?: string) => {
    setText('');
    visit(type, field);
  };
  return (
    <section id="docs" className="panel docs" aria-label="Docs">
      <header className="row">
        {trail.length > 1 ? (
          <button type="button" className="plain" aria-label="Back" onClick={back}>
            <LeftIcon />
          </button>
        ) : (
          <h2>Docs</h2>
        )}
        <input
          type="search"
          aria-label="Search the docs"
          aria-keyshortcuts="Control+K"
          placeholder="Search fields and types"
          value={text}
          onChange={event => setText(event.target.value)}
        />
        {!isPhone && (
          <button type="button" className="plain" aria-label="Close the docs" onClick={() => changeLook({ docs: false })}>
            <CloseIcon />
          </button>
        )}
      </header>
      <div key={`${page.type}.${page.field}`} className="scroll" tabIndex={0} role="group" aria-label="Page of the docs">
        {!schema ? (
          <p className="nothing">The schema is not loaded.</p>
        ) : text.trim() ? (
          <Hits schema={schema} text={text.trim()} go={go} />
        ) : page.type ? (
          <TypePage schema={schema} type={page.type} field={page.field} />
        ) : (
          <Contents schema={schema} />
        )}
      </div>
    </section>
  );
}

type HitsProps = { schema: GraphQLSchema; text: string; go: (type: string, field?: string) => void };

function Hits({ schema, text, go }: HitsProps) {
  const hits = search(schema, text);
  return hits.length === 0 ? (
    <p className="nothing">Nothing in the schema has this name.</p>
  ) : (
    <ul className="entries">
      {hits.map(({ type, field, note }) => (
        <li key={`${type}.${field}(${note})`}>
          <button type="button" className="link" onClick={() => go(type, field)}>
            {field ? `${type}.${field}` : type}
            {note && ` (${note})`}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Contents({ schema }: { schema: GraphQLSchema }) {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(type => type ?? []);
  const others = types(schema).filter(type => !roots.some(root => root === type));
  return (
    <>
      <h3>Where every question starts</h3>
      <Names names={roots.map(({ name }) => name)} />
      <p className="links">
        <a className="link" href="schema.graphqls" download="caregraph.graphqls">
          Download the schema
        </a>
        <a className="link" href="rights/">
          Who sees what
        </a>
        <a className="link" href="docs/">
          REST addresses
        </a>
      </p>
      <h3>Types</h3>
      <Names names={others.map(({ name }) => name)} />
    </>
  );
}

const Names = ({ names }: { names: string[] }) => (
  <ul className="entries">
    {names.map(name => (
      <li key={name}>
        <button type="button" className="link" onClick={() => visit(name)}>
          {name}
        </button>
      </li>
    ))}
  </ul>
);
