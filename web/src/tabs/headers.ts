import { Shared } from '../stored';
import { useShared } from '../useShared';

// In memory only: a header can be a token.
const headers = new Shared<Record<string, string>>({});

/** The text of a tab's headers editor. */
export const headersOf = (tab: string): string => headers.value[tab] ?? '';
export const useHeaders = (tab: string): string => useShared(headers)[tab] ?? '';

export function setHeaders(tab: string, text: string): void {
  headers.set({ ...headers.value, [tab]: text });
}
