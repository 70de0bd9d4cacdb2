import { useState, type ReactNode } from 'react';
import { keyOf, type Hidden, type HiddenValues } from '../explain/hidden';
import type { Path } from '../graphql/send';
import { HiddenChip } from './HiddenChip';
import { isToken } from './tokens';

type Shown = {
  path: Path;
  value: unknown;
  hidden: HiddenValues;
  /** Asks the same question with @redact; undefined if that changes nothing. */
  onRedact: (() => void) | undefined;
};

const firstItems = 50;

/** The data of an answer as an outline. Lists of flat records are tables. */
export function Tree({ path, value, ...rest }: Shown) {
  const entries = Object.entries(value as object).map(([name, child]) => (
    <Entry key={name} name={name} path={[...path, name]} value={child} {...rest} />
  ));
  return <div className="tree">{entries}</div>;
}

function Entry({ name, ...shown }: Shown & { name: string }) {
  const { value } = shown;
  if (isBranch(value) && !isWords(value)) {
    const size = Array.isArray(value) ? <span className="count">{value.length}</span> : null;
    return (
      <Branch summary={<><span className="key">{name}</span> {size}</>}>
        {Array.isArray(value) ? <List {...shown} value={value} /> : <Tree {...shown} />}
      </Branch>
    );
  }
  return (
    <div className="leaf">
      <span className="key">{name}</span> <Value {...shown} />
    </div>
  );
}

function Branch({ summary, children }: { summary: ReactNode; children: ReactNode }) {
  return (
    <details open>
      <summary>{summary}</summary>
      {children}
    </details>
  );
}

function List({ value, ...rest }: Shown & { value: unknown[] }) {
  const [limit, setLimit] = useState(firstItems);
  const items = value.slice(0, limit);
  const more = value.length - items.length;
  return (
    <>
      {isTable(value) ? <Table {...rest} value={items} /> : <Items {...rest} value={items} />}
      {more > 0 && (
        <button type="button" className="link" onClick={() => setLimit(value.length)}>
          Show {more} more
        </button>
      )}
    </>
  );
}

function Items({ value, path, ...rest }: Shown & { value: unknown[] }) {
  return (
    <div className="tree">
      {value.map((item, index) => (
        <Entry key={index} name={String(index + 1)} path={[...path, index]} value={item} {...rest} />
      ))}
    </div>
  );
}

function Table({ value, path, ...rest }: Shown & { value: unknown[] }) {
  const columns = Object.keys(value[0] as object);
  return (
    <div className="wide" tabIndex={0} role="group" aria-label={`${path.join(' ')}, a table`}>
      <table>
        <thead>
          <tr>
            {columns.map(name => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {value.map((item, index) => (
            <tr key={index}>
              {columns.map(name => (
                <td key={name}>
                  <Value path={[...path, index, name]} value={(item as Record<string, unknown>)[name]} {...rest} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ path, value, hidden, onRedact }: Shown) {
  const why: Hidden | undefined = value === null ? hidden.get(keyOf(path)) : undefined;
  if (why) {
    return <HiddenChip hidden={why} onRedact={onRedact} />;
  }
  if (typeof value === 'string' && isToken(value)) {
    return <span className="chip token">{value}</span>;
  }
  if (Array.isArray(value)) {
    return <span className={`value ${value.length > 0 ? '' : 'empty'}`}>{value.join(', ') || 'none'}</span>;
  }
  const kind = value === null ? 'empty' : typeof value;
  return <span className={`value ${kind}`}>{String(value)}</span>;
}

const isBranch = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.keys(value).length > 0;

// A list of texts or numbers fits into one line.
const isWords = (value: object): boolean =>
  Array.isArray(value) && value.every(item => item !== null && typeof item !== 'object');

function isTable(value: unknown[]): boolean {
  const isFlat = (item: unknown) =>
    isBranch(item) && !Array.isArray(item) && Object.values(item).every(cell => !isBranch(cell));
  return value.length > 1 && value.every(isFlat);
}
