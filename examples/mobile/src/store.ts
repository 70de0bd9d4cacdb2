// What the device keeps. Here it is one file; an app for patients puts it into an encrypted database with transactions.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Node, Tokens, UserError } from './documents.js';

/** A change that waits to be sent. The server makes it once for each key, however often it arrives. */
export interface Waiting {
  key: string;
  /** Kept with the variables: a newer version of the app must send the same text again. */
  document: string;
  variables: object;
  /** When it was sent first, by `Date.now()`. Null: never. */
  sentAt: number | null;
  /** Why the server refused it. It is not sent again: the person decides. Empty: it was not refused. */
  refusal: UserError[];
}

export interface State {
  account: string | null;
  tokens: Tokens | null;
  device: string | null;
  cursor: string | null;
  records: Record<string, Node>;
  outbox: Waiting[];
}

/** A place for one text, which `write` replaces as a whole or not at all. */
export type Disk = { read(): string | null; write(text: string): void };

export class Store {
  #state: State = { account: null, tokens: null, device: null, cursor: null, records: {}, outbox: [] };

  constructor(private readonly disk: Disk) {
    Object.assign(this.#state, JSON.parse(disk.read() ?? '{}'));
  }

  get state(): Readonly<State> {
    return this.#state;
  }

  /** Makes all changes, or none if the app ends before they are on the disk. */
  transaction(change: (draft: State) => void): void {
    const draft = structuredClone(this.#state);
    change(draft);
    this.disk.write(JSON.stringify(draft));
    this.#state = draft;
  }
}

/** A file that only this user can read. */
export const file = (path: string): Disk => ({
  read: () => (existsSync(path) ? readFileSync(path, 'utf8') : null),
  write(text) {
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  },
});
