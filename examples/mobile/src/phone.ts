// What the screens of the app use.

import { Api, Refused } from './api.js';
import { listen } from './bell.js';
import { type Doctor, type Patient, createPatient, updatePatient } from './documents.js';
import { enqueue, flush } from './outbox.js';
import { type Disk, Store } from './store.js';
import { sync } from './sync.js';

export class Phone {
  /** Called when records, outbox or session may have changed. */
  onChange = (): void => {};
  readonly store: Store;
  readonly api: Api;
  #running: Promise<void> | null = null;
  #again = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silence: (() => void) | undefined;

  /** Node before 22 has no WebSocket of its own. */
  constructor(disk: Disk, url: string, fetch?: typeof globalThis.fetch, private readonly webSocket?: unknown) {
    this.store = new Store(disk);
    this.api = new Api(this.store, url, fetch);
  }

  /** For an app that comes to the front with someone signed in. */
  start(): void {
    this.#silence = listen(this.api, () => this.catchUp(), this.webSocket);
  }

  /** For an app that goes to the back. */
  stop(): void {
    this.#silence?.();
    this.#silence = undefined;
    clearTimeout(this.#timer);
  }

  /** Sends what waits and fetches what is new, one run at a time. Call it also when the network is back. */
  catchUp(): Promise<void> {
    this.#again = true;
    return (this.#running ??= this.#run());
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      while (this.#again) {
        this.#again = false;
        await flush(this.store, this.api);
        await sync(this.store, this.api);
      }
      this.#failures = 0;
    } catch (error) {
      if (!this.api.isSignedIn || !this.#silence) return; // not signed in: show that screen
      const seconds = (error instanceof Refused && error.retryAfter) || Math.min(2 ** this.#failures++, 60);
      this.#timer = setTimeout(() => this.catchUp(), seconds * 1000);
    } finally {
      this.#running = null;
      this.onChange();
    }
  }

  patients(): Patient[] {
    const all = Object.values(this.store.state.records).filter(node => node.__typename === 'Patient');
    return all.sort((a, b) => a.name.localeCompare(b.name));
  }

  doctorsOf({ mappings }: Patient): Doctor[] {
    const doctors = mappings.nodes.filter(({ isActive }) => isActive).map(({ doctor }) => this.store.state.records[doctor.id]);
    return doctors.filter(node => node?.__typename === 'Doctor');
  }

  createPatient(input: object): void {
    this.#change(createPatient, { input });
  }

  /** Refused with VERSION_CONFLICT if someone else has changed the patient in the meantime. */
  updatePatient({ id, version }: Patient, input: object): void {
    this.#change(updatePatient, { id, input, expectedVersion: version });
  }

  #change(document: string, variables: object): void {
    enqueue(this.store, document, variables);
    void this.catchUp();
  }
}
