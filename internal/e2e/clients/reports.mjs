// How a test waits for what a client reports.

import { EventEmitter, once } from 'node:events';
import { inspect } from 'node:util';

const limit = 40_000;
const shown = 20;

/** What a client reports, in order. */
export class Reports {
  #all = [];
  #read = 0;
  #arrivals = new EventEmitter();

  /** Adds a report. It can be passed on as a callback. */
  add = report => {
    this.#all.push(report);
    this.#arrivals.emit('report');
  };

  get all() {
    return [...this.#all];
  }

  /**
   * Waits for the next report, or for the next one that is `wanted`, a value or a function that reports whether one holds. It
   * skips those before it. Fails if it takes too long.
   */
  async next(wanted = () => true) {
    const holds = typeof wanted === 'function' ? wanted : report => report === wanted;
    const signal = AbortSignal.timeout(limit);
    for (;;) {
      while (this.#read < this.#all.length) {
        const report = this.#all[this.#read++];
        if (holds(report)) {
          return report;
        }
      }
      await once(this.#arrivals, 'report', { signal }).catch(() => {
        throw new Error(`waited in vain for ${wanted}; the last reports were ${inspect(this.#all.slice(-shown), { depth: 6 })}`);
      });
    }
  }
}

/** Returns the address of the server for WebSockets. */
export const socketsOf = server => `${server.base.replace('http', 'ws')}/graphql`;
