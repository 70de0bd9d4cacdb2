// Rings when something has changed for the account. It carries no data, so a bell that was missed costs nothing.

import { createClient } from 'graphql-ws';
import type { Api } from './api.js';

/** Calls `ring` at once, after each change and after each reconnect. Returns how to stop it. */
export function listen(api: Api, ring: () => void, webSocketImpl?: unknown): () => void {
  let sent = '';
  let expired = false;
  let silence: ReturnType<typeof setTimeout>;
  const client = createClient({
    url: `${api.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl,
    connectionParams: async () => {
      if (expired) await api.renew(sent);
      sent = api.access();
      return { Authorization: `Bearer ${sent}` };
    },
    retryAttempts: Infinity,
    shouldRetry: () => api.isSignedIn, // the default gives up when the server cannot be reached
    retryWait: tries => new Promise(done => setTimeout(done, Math.min(500 * 2 ** tries, 30_000) * (0.5 + Math.random() / 2))),
    keepAlive: 20_000, // notices that the network has changed
    on: {
      ping: received => received || (silence = setTimeout(() => client.terminate(), 5_000)),
      pong: received => received && clearTimeout(silence),
      closed: event => {
        clearTimeout(silence);
        expired = (event as CloseEvent).code === 4403;
      },
    },
  });
  // An error ends it: the session is over, as the next request says, too.
  client.subscribe({ query: 'subscription { changed }' }, { next: ring, error: ring, complete() {} });
  return () => void client.dispose();
}
