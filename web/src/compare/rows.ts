import type { GraphQLSchema } from 'graphql';
import { hiddenIn, keyOf, type Hidden, type HiddenValues } from '../explain/hidden';
import type { Answer, Path, Request } from '../graphql/send';

/** What one answer has at one place. */
export type Cell =
  | { kind: 'value'; text: string }
  /** An object or a list; its own rows follow. */
  | { kind: 'there'; text: string }
  /** Null, and the caller may see that. */
  | { kind: 'empty' }
  | { kind: 'hidden'; why: Hidden }
  /** The record does not exist for the caller, or the list does not contain it. */
  | { kind: 'absent' }
  | { kind: 'refused'; code: string }
  /** The record above is absent. */
  | { kind: 'nothing' };

/** One place of the answers: a value, or the title of an object or a list. */
export type Row = { key: string; label: string; depth: number; isTitle: boolean; cells: Cell[]; differs: boolean };

/** What an answer has at a place of the merged tree; undefined below a record that is absent. */
type Seen = { value: unknown; path: Path } | undefined;

type Place = { key: string; label: string; depth: number };

/** The words of connections, which are no news for people: their entries are shown under the name of the list. */
const wrappers = new Set(['edges', 'nodes', 'node']);

/** Merges the answers to one question: a row for each place, with a cell for each answer. */
export function rowsOf(answers: Answer[], question: Request, schema: GraphQLSchema | undefined): Row[] {
  const marks = answers.map(answer => ({ hidden: hiddenIn(answer, question, schema), refused: refusedIn(answer) }));
  const roots: Seen[] = answers.map(({ data }) => ({ value: data ?? null, path: [] }));
  return members(roots).flatMap(key => rowsAt({ key, label: key, depth: 0 }, roots.map(seen => memberOf(seen, key)), marks));
}

function rowsAt(place: Place, seen: Seen[], marks: Marks[]): Row[] {
  if (seen.some(isList)) {
    return listRows(place, seen, marks);
  }
  if (seen.some(isObject)) {
    return objectRows(place, seen, marks);
  }
  return [row(place, false, seen.map((one, i) => leafCell(one, marks[i]!)))];
}

function objectRows(place: Place, seen: Seen[], marks: Marks[]): Row[] {
  const title = row(place, true, seen.map((one, i) => titleCell(one, marks[i]!, 'exists')));
  const shown = isShown(place, title);
  const rows = members(seen).flatMap(key => {
    const label = wrappers.has(key) ? place.label : key;
    return rowsAt({ key: `${place.key}.${key}`, label, depth: place.depth + (shown ? 1 : 0) }, seen.map(one => memberOf(one, key)), marks);
  });
  return shown ? [title, ...rows] : rows;
}

function listRows(place: Place, seen: Seen[], marks: Marks[]): Row[] {
  const title = row(place, true, seen.map((one, i) => titleCell(one, marks[i]!, entries(one))));
  const shown = isShown(place, title);
  const lists = seen.map(one => identities(listIn(one) ?? []));
  const ids = [...new Set(lists.flat())];
  const rows = ids.flatMap((id, n) => {
    const items = seen.map((one, i) => itemOf(one, lists[i]!.indexOf(id)));
    return rowsAt({ key: `${place.key}.${n}`, label: `${place.label} ${n + 1}`, depth: place.depth + (shown ? 1 : 0) }, items, marks);
  });
  return shown ? [title, ...rows] : rows;
}

/** Whether a title has a row. A wrapper has none, unless someone does not get it. */
function isShown({ key }: Place, { cells }: Row): boolean {
  const name = key.slice(key.lastIndexOf('.') + 1);
  return !wrappers.has(name) || cells.some(({ kind }) => kind !== 'there' && kind !== 'nothing');
}

const entries = (seen: Seen) => {
  const count = listIn(seen)?.length ?? 0;
  return count === 1 ? '1 entry' : `${count} entries`;
};

function row({ key, label, depth }: Place, isTitle: boolean, cells: Cell[]): Row {
  const different = new Set(cells.filter(({ kind }) => kind !== 'nothing').map(shownIn));
  return { key, label, depth, isTitle, cells, differs: different.size > 1 };
}

/** What a cell shows. Why a value is hidden is no difference. */
const shownIn = (cell: Cell): string => JSON.stringify(cell.kind === 'hidden' ? cell.kind : cell);

function leafCell(seen: Seen, marks: Marks): Cell {
  if (seen && seen.value !== null && seen.value !== undefined) {
    return { kind: 'value', text: textOf(seen.value) };
  }
  const cell = nullCell(seen, marks);
  return cell.kind === 'absent' ? { kind: 'empty' } : cell;
}

function titleCell(seen: Seen, marks: Marks, text: string): Cell {
  return isObject(seen) || listIn(seen) ? { kind: 'there', text } : nullCell(seen, marks);
}

function nullCell(seen: Seen, marks: Marks): Cell {
  if (!seen) {
    return { kind: 'nothing' };
  }
  const why = marks.hidden.get(keyOf(seen.path));
  if (why) {
    return { kind: 'hidden', why };
  }
  const path = seen.path.join('.');
  const refusal = marks.refused.find(one => one.path === '' || one.path === path || path.startsWith(`${one.path}.`));
  return refusal ? { kind: 'refused', code: refusal.code } : { kind: 'absent' };
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(textOf).join(', ') || 'none';
  }
  return value === '' ? '(empty text)' : String(value);
}

type Refused = { path: string; code: string };

type Marks = { hidden: HiddenValues; refused: Refused[] };

const refusedIn = ({ errors = [] }: Answer): Refused[] =>
  errors
    .filter(error => error.extensions?.code !== 'FORBIDDEN_FIELD')
    .map(error => ({ path: (error.path ?? []).join('.'), code: error.extensions?.code ?? 'error' }));

const listIn = (seen: Seen) => (Array.isArray(seen?.value) ? (seen.value as unknown[]) : undefined);

const isObject = (seen: Seen) => typeof seen?.value === 'object' && seen.value !== null && !Array.isArray(seen.value);

/** Whether it is a list of objects; a list of plain values is one value. */
const isList = (seen: Seen) => listIn(seen)?.some(item => typeof item === 'object') ?? false;

function members(seen: Seen[]): string[] {
  return [...new Set(seen.filter(isObject).flatMap(one => Object.keys(one!.value as object)))];
}

function memberOf(seen: Seen, key: string): Seen {
  const root = seen?.path.length === 0;
  if (!seen || (seen.value === null && !root)) {
    return undefined;
  }
  return { value: (seen.value as Record<string, unknown> | null)?.[key] ?? null, path: [...seen.path, key] };
}

/** The entry of a list at an index. A list that does not contain it has null in its place. */
function itemOf(seen: Seen, at: number): Seen {
  const list = listIn(seen);
  return seen && list && { value: list[at] ?? null, path: [...seen.path, at] };
}

/** Names the entries of a list so that the same record has the same name in every answer. */
function identities(list: unknown[]): string[] {
  const counts = new Map<string, number>();
  return list.map(item => {
    const name = identity(item);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return `${name} ${counts.get(name)}`;
  });
}

function identity(item: unknown): string {
  const edge = item as { node?: unknown } | null;
  const record = Object.entries((edge?.node ?? item ?? {}) as object);
  const id = record.find(([key]) => key === 'id') ?? record.find(([, value]) => typeof value === 'string');
  return id ? `${id[0]}=${id[1]}` : '';
}
