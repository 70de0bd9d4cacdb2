// The WebSocket of subscriptions.

import { createClient } from 'graphql-ws';
import { keep, renew, session } from './session';

// #region socket
export function connect() {
  let sent = '';
  let expired = false;
  let silence: number;
  const client = createClient({
    url: `${location.origin.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => {
      sent = (expired ? await renew(sent) : session()?.access) ?? '';
      return { Authorization: `Bearer ${sent}` };
    },
    retryAttempts: Infinity,
    shouldRetry: () => session() !== null, // the default gives up when the server cannot be reached
    retryWait: tries => new Promise(done => setTimeout(done, Math.min(500 * 2 ** tries, 30_000) * (0.5 + Math.random() / 2))),
    keepAlive: 20_000, // notices that the network has changed
    on: {
      ping: received => received || (silence = setTimeout(() => client.terminate(), 5_000)),
      pong: received => received && clearTimeout(silence),
      closed: event => {
        clearTimeout(silence);
        const { code } = event as CloseEvent;
        expired = code === 4403;
        if (code === 4401) keep(null); // the session is over
      },
    },
  });
  return client;
}
// #endregion
