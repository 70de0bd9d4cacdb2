// graphql-ws, for subscriptions over WebSockets.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { startServer } from '../../../web/test/server.mjs';
import { register } from './account.mjs';
import { Phone } from './phone.mjs';
import { Reports, socketsOf } from './reports.mjs';

let server, brief;
before(async () => {
  [server, brief] = await Promise.all([startServer('--max-streams', '1'), startServer('--access-ttl', '3s')]);
});
after(() => Promise.all([server.stop(), brief.stop()]));

/** A client, with what it reports. */
function connect(t, account, options) {
  const closes = new Reports(), connections = new Reports(), answers = new Reports();
  const client = createClient({
    url: socketsOf(account.server),
    webSocketImpl: WebSocket,
    connectionParams: () => ({ Authorization: account.authorization }),
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: async () => {},
    on: {
      connecting: connections.add,
      closed: ({ code, reason }) => closes.add(`${code} ${reason}`.trim()),
    },
    ...options,
  });
  t.after(() => client.dispose());
  const ended = new Reports();
  const subscribe = query => client.subscribe({ query }, { next: answers.add, error: ended.add, complete: () => ended.add('complete') });
  return { client, closes, connections, answers, ended, subscribe };
}

const bell = 'subscription { changed }';
const me = 'subscription { live { me { username } } }';

test('graphql-ws: each bell brings the phone the changes after the cursor that it stored, also after a restart', async t => {
  const rahul = await register(server, 'Rahul');
  const phone = new Phone(rahul);
  let isUp = Promise.resolve();
  const { closes, answers, subscribe } = connect(t, rahul, { retryWait: () => isUp });
  subscribe(bell);
  const ring = async () => {
    await answers.next();
    await phone.sync();
  };
  await ring();
  const arjun = await rahul.createPatient('Arjun');
  await ring();
  assert.deepEqual([...phone.records.keys()], [arjun]);

  isUp = server.restart();
  assert.equal(await closes.next(), '1001');
  await isUp;
  await rahul.createPatient('Meera');
  do {
    await ring(); // the first one may come before Meera
  } while (phone.records.size < 2);
  assert.deepEqual(phone.sent.slice(1), phone.steps.slice(0, -1).map(step => step.cursor));
  assert.deepEqual(phone.steps.map(step => step.reset), phone.steps.map((_, i) => i === 0));
});

test('graphql-ws: a query and a mutation have one answer', async t => {
  const asha = await register(server, 'Asha');
  const { answers, ended, subscribe } = connect(t, asha);
  subscribe('{ me { username } }');
  assert.deepEqual(await answers.next(), { data: { me: { username: 'Asha' } } });
  assert.equal(await ended.next(), 'complete');
  subscribe('mutation { updateMe(input: {username: "Asha.Rao"}) { user { username } } }');
  assert.deepEqual(await answers.next(), { data: { updateMe: { user: { username: 'Asha.Rao' } } } });
  assert.equal(await ended.next(), 'complete');
});

test('graphql-ws: 4403 when the token expires, and the client comes back with a new one', async t => {
  const dev = await register(brief, 'Dev');
  const { closes, answers, subscribe } = connect(t, dev, {
    connectionParams: async () => {
      await dev.renew();
      return { Authorization: dev.authorization };
    },
  });
  subscribe(me);
  for (let connection = 0; connection < 2; connection++) {
    assert.deepEqual(await answers.next(), { data: { live: { me: { username: 'Dev' } } } });
    assert.equal(await closes.next(), '4403 TOKEN_EXPIRED');
  }
  await answers.next();
});

test('graphql-ws: 4403 for a token that had expired before, and the client comes back with a new one', async t => {
  const neha = await register(brief, 'Neha');
  const first = connect(t, neha);
  first.subscribe(me);
  await first.closes.next('4403 TOKEN_EXPIRED');
  first.client.dispose();
  let attempts = 0;
  const { closes, answers, subscribe } = connect(t, neha, {
    connectionParams: async () => {
      if (attempts++ > 0) {
        await neha.renew();
      }
      return { Authorization: neha.authorization };
    },
  });
  subscribe(me);
  assert.equal(await closes.next(), '4403 TOKEN_EXPIRED');
  assert.deepEqual(await answers.next(), { data: { live: { me: { username: 'Neha' } } } });
});

test('graphql-ws: 4401 when the session ends, and the client stops', async t => {
  const priya = await register(server, 'Priya');
  const { closes, connections, answers, ended, subscribe } = connect(t, priya);
  subscribe(me);
  await answers.next();
  await priya.logout();
  assert.equal(await closes.next(), '4401 SESSION_ENDED');
  assert.equal((await ended.next()).code, 4401);
  assert.equal(connections.all.length, 1);
});

test('graphql-ws: 4401 without a good token, and the client stops', async t => {
  const nobody = { server };
  for (const [connectionParams, reason] of [[undefined, 'TOKEN_MISSING'], [{ Authorization: 'Bearer made.up.token' }, 'TOKEN_INVALID']]) {
    const { connections, ended, subscribe } = connect(t, nobody, { connectionParams });
    subscribe(me);
    const { code, reason: given } = await ended.next();
    assert.deepEqual([code, given], [4401, reason]);
    assert.equal(connections.all.length, 1);
  }
});

test('graphql-ws: 1013 while there are too many sockets, and the client comes back', async t => {
  const vikram = await register(server, 'Vikram');
  const first = connect(t, vikram);
  first.subscribe(me);
  await first.answers.next();
  const closed = first.closes.next();
  const second = connect(t, vikram, {
    retryWait: () => {
      first.client.dispose();
      return closed;
    },
  });
  second.subscribe(me);
  assert.match(await second.closes.next(), /^1013/);
  assert.deepEqual(await second.answers.next(), { data: { live: { me: { username: 'Vikram' } } } });
});
