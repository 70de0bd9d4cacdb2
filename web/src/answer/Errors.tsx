import type { AnswerError } from '../graphql/send';

const shownLines = 20;

/** The errors of an answer, one line each. Errors of the same kind at the same field are one line. */
export function Errors({ errors }: { errors: AnswerError[] }) {
  const groups = grouped(errors);
  const more = groups.length - shownLines;
  return (
    <section className="errors" aria-label="Errors">
      <h3>
        Errors <span className="count">{errors.length}</span>
      </h3>
      {groups.slice(0, shownLines).map(({ first, place, count }, index) => (
        <details key={index}>
          <summary>
            <code>{first.extensions?.code ?? 'ERROR'}</code> {place && <span className="key">{place}</span>}{' '}
            {count > 1 && <span className="count">{count}</span>} <span className="message">{first.message}</span>
          </summary>
          <pre tabIndex={0}>{JSON.stringify(first, null, 2)}</pre>
        </details>
      ))}
      {more > 0 && <p>{more} more lines are in the raw JSON.</p>}
    </section>
  );
}

type Group = { first: AnswerError; place: string; count: number };

function grouped(errors: AnswerError[]): Group[] {
  const groups = new Map<string, Group>();
  for (const error of errors) {
    const place = (error.path ?? []).filter(step => typeof step === 'string').join('.');
    const key = JSON.stringify([error.extensions?.code, place, error.message]);
    const group = groups.get(key) ?? { first: error, place, count: 0 };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  return [...groups.values()];
}
