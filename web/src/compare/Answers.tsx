import type { GraphQLSchema } from 'graphql';
import { useState, type CSSProperties } from 'react';
import { HiddenChip } from '../answer/HiddenChip';
import type { Request } from '../graphql/send';
import type { Person, Sent } from './Compare';
import { rowsOf, type Cell, type Row } from './rows';

type Props = { question: Request; schema: GraphQLSchema | undefined; people: Person[]; sent: (Sent | undefined)[] };

/** The answers as a table: a column for each person, a row for each value. Rows that differ are marked. */
export function Answers({ question, schema, people, sent }: Props) {
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const waiting = people.filter((_, i) => !sent[i]);
  const rows = waiting.length > 0 ? [] : rowsOf(sent.map(one => one!.answer), question, schema);
  const different = rows.filter(({ differs }) => differs);
  const shown = onlyDifferent ? different : rows;

  return (
    <>
      <div className="outcome">
        <p role="status">{waiting.length > 0 ? `Asking as ${waiting.map(({ name }) => name).join(', ')} …` : outcome(rows, different)}</p>
        <label>
          <input type="checkbox" checked={onlyDifferent} onChange={event => setOnlyDifferent(event.target.checked)} />
          <span>only differences</span>
        </label>
      </div>
      <table role="table" data-people={people.length}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              <span className="unseen">Value</span>
            </th>
            {people.map((person, i) => (
              <th role="columnheader" scope="col" key={person.id ?? 'nobody'}>
                <Head person={person} sent={sent[i]} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map(row => (
            <RowOf key={row.key} row={row} people={people} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function outcome(rows: Row[], different: Row[]): string {
  if (rows.length === 0) {
    return 'No answer has data.';
  }
  return different.length === 0 ? 'All get the same answer.' : `${different.length} of ${rows.length} lines differ, marked with ≠.`;
}

function Head({ person, sent }: { person: Person; sent: Sent | undefined }) {
  const message = sent?.answer.data ? undefined : sent?.answer.errors?.[0]?.message;
  return (
    <>
      <span className="name">{person.name}</span>
      {person.role && <span className="chip">{person.role}</span>}
      {sent && (
        <span className="cost">
          {sent.bytes} bytes, {Math.round(sent.milliseconds)} ms
        </span>
      )}
      {message && <span className="message">{message}</span>}
    </>
  );
}

function RowOf({ row, people }: { row: Row; people: Person[] }) {
  const first = row.cells.findIndex(({ kind }) => kind !== 'nothing'); // the value of all who get one
  return (
    <tr role="row" data-differs={row.differs} data-title={row.isTitle} style={{ '--depth': row.depth } as CSSProperties}>
      <th role="rowheader" scope="row">
        {row.label}
        {row.differs && (
          <span className="mark" title="The answers differ">
            ≠<span className="unseen"> differs</span>
          </span>
        )}
      </th>
      {row.cells.map((cell, i) => (
        <td role="cell" key={people[i]?.id ?? 'nobody'} data-name={people[i]?.name} data-kind={cell.kind} data-first={i === first}>
          {row.isTitle && !row.differs ? null : <CellOf cell={cell} asker={people[i]!.name} />}
        </td>
      ))}
    </tr>
  );
}

function CellOf({ cell, asker }: { cell: Cell; asker: string }) {
  switch (cell.kind) {
    case 'value':
    case 'there':
      return <>{cell.text}</>;
    case 'empty':
      return <span className="none">empty</span>;
    case 'hidden':
      return <HiddenChip hidden={cell.why} asker={asker} />;
    case 'absent':
      return <span className="chip absent-record">does not exist</span>;
    case 'refused':
      return <span className="chip refused-field">refused: {cell.code}</span>;
    case 'nothing':
      return <span className="unseen">nothing</span>;
  }
}
