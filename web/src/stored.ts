// The page stores data in these places and nowhere else:
//
//   localStorage    the look of the page: theme, open docs, width of the panels;
//                   the latest questions, without their texts, until one signs out
//   sessionStorage  the accounts with their tokens, the tabs with queries and
//                   variables, values from the examples; ends with the browser
//                   tab
//   memory          answers, and the headers typed by hand; ends with the page
//
// localStorage is shared by all who use this machine, so it must never contain
// patient data.

/** A value in the memory of the page that components can follow. */
export class Shared<T> {
  readonly #listeners = new Set<() => void>();
  #value: T;

  constructor(initial: T) {
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#listeners.forEach(listener => listener());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}

/**
 * A value of this browser tab, or of this browser. It survives a reload. Without a storage it lasts as long as the page.
 */
export class Stored<T> extends Shared<T> {
  readonly #key: string;
  readonly #storage: 'sessionStorage' | 'localStorage';

  constructor(name: string, initial: () => T, storage: 'sessionStorage' | 'localStorage' = 'sessionStorage') {
    const key = `caregraph.playground.${name}`;
    super(stored<T>(storage, key) ?? initial());
    this.#key = key;
    this.#storage = storage;
  }

  override set(value: T): void {
    try {
      window[this.#storage].setItem(this.#key, JSON.stringify(value));
    } catch {
      // The page shows the value all the same.
    }
    super.set(value);
  }
}

function stored<T>(storage: 'sessionStorage' | 'localStorage', key: string): T | undefined {
  try {
    return JSON.parse(window[storage].getItem(key) ?? 'null') ?? undefined;
  } catch {
    return undefined; // the storage is not available, or its content is not JSON
  }
}
