// urql with Graphcache, its normalized cache.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { startServer } from '../../../web/test/server.mjs';
import { register } from './account.mjs';
import { Reports, socketsOf } from './reports.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

/** A client of an account, and the requests that it has sent. */
function clientOf(account, exchanges, options) {
  const requests = [];
  const client = new Client({
    url: `${account.server.base}/graphql`,
    exchanges,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { authorization: account.authorization } }),
    fetch: (url, init) => {
      const hasText = init.method === 'GET' ? new URL(url).searchParams.has('query') : JSON.parse(init.body).query !== undefined;
      requests.push(`${init.method} ${hasText ? 'text' : 'hash'}`);
      return fetch(url, init);
    },
    ...options,
  });
  return { client, requests };
}

for (const method of ['POST', 'GET']) {
  test(`urql: the persisted exchange over ${method}`, async () => {
    const asha = await register(server, `Asha.${method}`);
    const query = `query Me${method} { me { id username } }`;
    const sent = [];
    for (let device = 0; device < 2; device++) {
      const exchanges = [cacheExchange(), persistedExchange({ preferGetForPersistedQueries: method === 'GET' && 'force' }), fetchExchange];
      const { client, requests } = clientOf(asha, exchanges);
      const { data, error } = await client.query(query, {}).toPromise();
      assert.equal(data?.me.username, `Asha.${method}`, error);
      sent.push(requests);
    }
    assert.deepEqual(sent[1], [`${method} hash`]);
    assert.equal(sent[0].length, 2);
    assert.match(sent[0][1], /text$/);
  });
}

function overSockets(t, account) {
  const sockets = createClient({
    url: socketsOf(account.server), webSocketImpl: WebSocket, connectionParams: { Authorization: account.authorization },
  });
  t.after(() => sockets.dispose());
  const forwardSubscription = ({ query, variables }) => ({
    subscribe: sink => ({ unsubscribe: sockets.subscribe({ query, variables }, sink) }),
  });
  return clientOf(account, [cacheExchange(), fetchExchange, subscriptionExchange({ forwardSubscription })]);
}

const overEvents = (t, account) => clientOf(account, [cacheExchange(), fetchExchange], { fetchSubscriptions: true });

const fields = 'patients(first: 10) { totalCount nodes { id name } }';
const textOf = ({ patients }) => `${patients.totalCount}: ${patients.nodes.map(node => node.name).join(', ')}`;

for (const [way, connect] of Object.entries({ WebSockets: overSockets, 'server-sent events': overEvents })) {
  test(`urql: live over ${way} refreshes a query of Graphcache`, async t => {
    const rahul = await register(server, `Rahul.${way.length}`);
    const arjun = await rahul.createPatient('Arjun');
    const { client, requests } = connect(t, rahul);
    const shown = new Reports(), problems = new Reports();
    const report = ({ data, error }) => error ? problems.add(error) : data && shown.add(textOf(data));
    const query = client.query(gql(`query List { ${fields} }`), {}).subscribe(report);
    t.after(() => query.unsubscribe());
    await shown.next('1: Arjun');
    const live = client.subscription(gql(`subscription Live { live { ${fields} } }`), {}).subscribe(({ error }) => error && problems.add(error));
    t.after(() => live.unsubscribe());
    const meera = await rahul.createPatient('Meera');
    await shown.next('2: Meera, Arjun');
    await rahul.rename(arjun, 'Arjun Rao');
    await shown.next('2: Meera, Arjun Rao');
    await rahul.deletePatient(meera);
    await shown.next('1: Arjun Rao');
    assert.deepEqual(problems.all, []);
    assert.equal(requests.length, way === 'WebSockets' ? 1 : 2); // the list once, and the events
  });
}
