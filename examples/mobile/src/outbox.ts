// Changes that were made without a network, or whose answer was lost.

import { type Api, Refused } from './api.js';
import type { Change, UserError } from './documents.js';
import type { Store, Waiting } from './store.js';

/** The server knows a key for 72 hours. Later the same request would be another change. */
const KEY_LIVES = 70 * 3_600_000;

/** These requests can be sent again as they are, with the same key. */
const AGAIN = ['UNAVAILABLE', 'RATE_LIMITED', 'REQUEST_IN_PROGRESS', 'UNAUTHENTICATED'];

// #region outbox
/** Keeps a change until `flush` has sent it. */
export function enqueue(store: Store, document: string, variables: object): void {
  store.transaction(draft => draft.outbox.push({ key: crypto.randomUUID(), document, variables, sentAt: null, refusal: [] }));
}

/** Sends what waits, in its order. It throws if the server cannot be reached: call it again later. */
export async function flush(store: Store, api: Api): Promise<void> {
  const { account } = store.state;
  for (;;) {
    const next = store.state.outbox.find(({ refusal }) => !refusal.length);
    if (!next) return;
    const isNext = ({ key }: Waiting): boolean => key === next.key;
    const update = (change: object): void => store.transaction(draft => Object.assign(draft.outbox.find(isNext)!, change));
    const refuse = ({ code, message }: UserError): void => update({ refusal: [{ code, message }] });
    if (next.sentAt && Date.now() - next.sentAt > KEY_LIVES) {
      refuse({ code: 'OUTCOME_UNKNOWN', message: 'Look whether this change was made.' });
      continue;
    }
    if (!next.sentAt) update({ sentAt: Date.now() });
    try {
      const answer = await api.ask<Change>(next.document, next.variables, next.key);
      if (store.state.account !== account) return; // someone else has signed in
      const { patient, userErrors } = Object.values(answer)[0]!;
      store.transaction(draft => {
        if (patient) draft.records[patient.id] = patient; // with VERSION_CONFLICT the record as it is now
        draft.outbox = draft.outbox.filter(waiting => !isNext(waiting));
        if (userErrors.length) draft.outbox.push({ ...next, refusal: userErrors });
      });
    } catch (error) {
      if (!(error instanceof Refused) || AGAIN.includes(error.code)) throw error;
      refuse(error);
    }
  }
}
// #endregion
