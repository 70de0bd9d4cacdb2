import { Shared } from '../stored';
import { showDocs } from '../shell/look';
import { useShared } from '../useShared';

/** What the docs show: a field, a type, or the start. */
export type Page = { type?: string; field?: string };

const trail = new Shared<Page[]>([{}]);

/** The visited pages; the docs show the last one. */
export const useTrail = (): Page[] => useShared(trail);

export const visit = (type?: string, field?: string): void =>
  trail.set([...trail.value, { ...(type && { type }), ...(field && { field }) }]);

export const back = (): void => trail.set(trail.value.slice(0, -1));

/** Shows a type or a field in the docs, and opens them. */
export function openDocs(type: string, field?: string): void {
  visit(type, field);
  showDocs();
}
