// Brings the records of the device up to date.

import { type Api, Refused } from './api.js';
import { type Changes, changes } from './documents.js';
import type { Store } from './store.js';

// #region sync
/** Asks for what is new until there is no more. It throws if the server cannot be reached: call it again later. */
export async function sync(store: Store, api: Api): Promise<void> {
  let { account, cursor: after } = store.state;
  for (;;) {
    const step = await api.ask<Changes>(changes, { after }).catch((error: unknown) => {
      if (after && error instanceof Refused && error.code === 'INVALID_CURSOR') return null;
      throw error;
    });
    if (!step) {
      after = null; // from the beginning: that answer has `reset`
      continue;
    }
    if (store.state.account !== account) return; // someone else has signed in
    const { cursor, reset, hasMore, nodes, gone } = step.changes;
    // Records and cursor together: after a crash the same step comes again.
    store.transaction(draft => {
      if (reset) draft.records = {};
      for (const node of nodes) draft.records[node.id] = node;
      for (const id of gone) delete draft.records[id];
      draft.cursor = cursor;
    });
    after = cursor;
    if (!hasMore) return;
  }
}
// #endregion
