import type { GraphQLSchema } from 'graphql';
import { useId, useMemo, useState } from 'react';
import { figures, reachOf, sum, values, type Figure, type Reach } from './figures';
import { Icon } from './Icon';
import './drawing.css';

/** Someone of the demo server; the role is the id of a figure. */
export type DemoPerson = { id: string; name: string; about: string; role: string };

type Props = {
  schema: GraphQLSchema | undefined;
  demo: DemoPerson[] | null;
  onContinue: (person: DemoPerson) => void;
};

/**
 * A drawing of six people around one patient record. The chosen one decides what the record shows; lines and texts say
 * the same for all. With a demo server each person is one click away.
 */
export function Drawing({ schema, demo, onContinue }: Props) {
  const [chosen, setChosen] = useState(figures[0]!.id);
  const group = useId();
  const reach = useMemo(() => schema && reachOf(schema), [schema]);
  const figure = figures.find(({ id }) => id === chosen)!;

  return (
    <fieldset className="drawing">
      <legend>Six people and one patient record. Choose someone to see what they get.</legend>
      <RecordCard figure={figure} name={personOf(demo, figure)?.name ?? figure.title} reach={reach?.(figure)} />
      {figures.map(one => (
        <div
          key={one.id}
          className="person"
          data-sees={seesOf(reach?.(one))}
          data-chosen={one.id === chosen}
          onPointerEnter={event => event.pointerType === 'mouse' && setChosen(one.id)}
        >
          <div className="box">
            <label>
              <input type="radio" name={group} checked={one.id === chosen} onChange={() => setChosen(one.id)} />
              <Who figure={one} reach={reach?.(one)} />
            </label>
            <ContinueAs person={personOf(demo, one)} onContinue={onContinue} />
          </div>
          <Line sees={seesOf(reach?.(one))} sets={(reach?.(one)?.sets ?? 0) > 0} />
        </div>
      ))}
    </fieldset>
  );
}

const personOf = (demo: DemoPerson[] | null, { id }: Figure) => demo?.find(({ role }) => role === id);

function seesOf(reach: Reach | undefined): 'all' | 'part' | 'none' {
  if (reach && !reach.exists) {
    return 'none';
  }
  return reach && reach.sees < reach.of ? 'part' : 'all';
}

function Who({ figure, reach }: { figure: Figure; reach: Reach | undefined }) {
  return (
    <span className="who">
      <Icon name={figure.id} />
      <span className="title">{figure.title}</span>
      <span className="words">{figure.words}</span>
      <span className="reach">{reach && sum(reach)}</span>
    </span>
  );
}

function ContinueAs({ person, onContinue }: { person: DemoPerson | undefined; onContinue: Props['onContinue'] }) {
  return (
    person && (
      <button type="button" className="button continue" title={person.about} onClick={() => onContinue(person)}>
        Continue as {person.name}
      </button>
    )
  );
}

/** The line to the record: solid for all fields, dashed for some, broken for none; an arrow for those who set values. */
function Line({ sees, sets }: { sees: string; sets: boolean }) {
  return (
    <svg className="line" viewBox="0 0 24 22" width="24" height="22" aria-hidden="true">
      <line x1="12" y1="0" x2="12" y2={sees === 'none' ? 5 : 22} />
      {sees === 'none' && <path d="m8 8 8 8m0-8-8 8" />}
      {sets && <path className="tip" d="m6 14 6 8 6-8z" />}
    </svg>
  );
}

function RecordCard({ figure, name, reach }: { figure: Figure; name: string; reach: Reach | undefined }) {
  const exists = reach?.exists ?? true;
  return (
    <div className="record" data-exists={exists} aria-live="polite">
      <p className="caption">
        <strong>Patient record</strong>
        <span>
          for {name} <code>{figure.relation}</code>
        </span>
      </p>
      {exists ? (
        <dl>
          {values.map(({ field, label, value }) => (
            <Value key={field} label={label} value={value} rights={reach?.fields.get(field) ?? ['see']} />
          ))}
        </dl>
      ) : (
        <p className="no-record">There is no such record. No list, count or error reveals it.</p>
      )}
    </div>
  );
}

function Value({ label, value, rights }: { label: string; value: string; rights: string[] }) {
  return (
    <div data-hidden={!rights.includes('see')}>
      <dt>{label}</dt>
      <dd>
        {rights.includes('see') ? value : <span className="chip hidden-value">hidden</span>}
        {rights.includes('set') && <span className="may-set">may set</span>}
      </dd>
    </div>
  );
}
