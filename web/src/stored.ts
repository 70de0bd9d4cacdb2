// The page stores data in these places and nowhere else:
//
//   localStorage    the look of the page: theme, the open panel, sizes
//   sessionStorage  the accounts with their tokens, the tabs with queries and
//                   variables, values from the examples; ends with the browser
//                   tab
//   memory          answers, and the text of the headers editor; ends with the
//                   page
//
// localStorage is shared by all who use this machine, so it must never contain
// patient data.
import { useSyncExternalStore } from 'react';

/** A value of this browser tab. It survives a reload and ends with the tab. */
export class Stored<T> {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(name: string, initial: () => T) {
    this.#key = `caregraph.playground.${name}`;
    const text = sessionStorage.getItem(this.#key);
    this.#value = text === null ? initial() : JSON.parse(text);
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    sessionStorage.setItem(this.#key, JSON.stringify(value));
    this.#listeners.forEach(listener => listener());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

export function useStored<T>(stored: Stored<T>): T {
  return useSyncExternalStore(stored.subscribe, () => stored.value);
}

const appearance = new Set(
  ['theme', 'visiblePlugin', 'docExplorerFlex', 'editorFlex', 'secondaryEditorFlex'].map(name => `graphiql:${name}`),
);
const tabsKey = 'graphiql:tabState';

// GraphiQL also stores the texts of the editors under separate keys. The tabs
// contain them already, so all keys except appearance and tabs are dropped.
function placeOf(key: string): Storage | undefined {
  if (appearance.has(key)) {
    return localStorage;
  }
  return key === tabsKey ? sessionStorage : undefined;
}

/** The storage that GraphiQL uses. */
export const graphiqlStorage = {
  getItem: (key: string) => placeOf(key)?.getItem(key) ?? null,
  setItem: (key: string, value: string) => placeOf(key)?.setItem(key, value),
  removeItem: (key: string) => placeOf(key)?.removeItem(key),
  clear: () => [...appearance, tabsKey].forEach(key => placeOf(key)?.removeItem(key)),
  get length() {
    return [...appearance, tabsKey].filter(key => placeOf(key)?.getItem(key) != null).length;
  },
};

/** The tab that was active before a reload: GraphiQL needs its texts as properties. */
export function storedActiveTab(): { query: string; variables: string } | undefined {
  const text = sessionStorage.getItem(tabsKey);
  if (text === null) {
    return undefined;
  }
  const { tabs, activeTabIndex } = JSON.parse(text);
  const { query, variables } = tabs[activeTabIndex];
  return { query: query ?? '', variables: variables ?? '' };
}
