// graphql-sse in its distinct connections mode, for subscriptions over server-sent events.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-sse';
import { startServer } from '../../../web/test/server.mjs';
import { register } from './account.mjs';
import { Phone } from './phone.mjs';
import { startProxy } from './proxy.mjs';
import { Reports } from './reports.mjs';

let server, brief;
before(async () => {
  [server, brief] = await Promise.all([startServer(), startServer('--access-ttl', '3s')]);
});
after(() => Promise.all([server.stop(), brief.stop()]));

/** A subscription of a client, with what it reports. */
function subscribe(t, account, query, options) {
  const answers = new Reports(), ended = new Reports();
  const client = createClient({
    url: `${account.server.base}/graphql`,
    headers: () => ({ authorization: account.authorization }),
    retryAttempts: Infinity,
    ...options,
  });
  t.after(() => client.dispose());
  client.subscribe({ query }, { next: answers.add, error: ended.add, complete: () => ended.add('complete') });
  return { answers, ended };
}

const names = 'live { patients(first: 10) { nodes { name } } }';
const isList = (...list) => ({ data }) => JSON.stringify(data.live.patients.nodes.map(node => node.name).sort()) === JSON.stringify(list);

test('graphql-sse: a plain query has one answer', async t => {
  const asha = await register(server, 'Asha');
  const { answers, ended } = subscribe(t, asha, '{ me { username } }');
  assert.deepEqual(await answers.next(), { data: { me: { username: 'Asha' } } });
  assert.equal(await ended.next(), 'complete');
});

test('graphql-sse: the answer to what was refused comes with the error', async t => {
  const dev = await register(server, 'Dev');
  for (const query of ['{ nothing }', 'subscription { live { nothing } }']) {
    const { answers, ended } = subscribe(t, dev, query, { retryAttempts: 0 });
    const { response } = await ended.next();
    assert.match(JSON.stringify(await response.json()), /Cannot query field \\"nothing\\"/);
    assert.deepEqual([response.status, answers.all], [400, []]);
  }
});

test('graphql-sse: live and changes go on after a restart of the server', async t => {
  const rahul = await register(server, 'Rahul');
  await rahul.createPatient('Arjun');
  const phone = new Phone(rahul);
  let isUp = Promise.resolve();
  const live = subscribe(t, rahul, `subscription { ${names} }`, { retry: () => isUp });
  const bell = subscribe(t, rahul, 'subscription { changed }', { retry: () => isUp });
  const ring = async () => {
    await bell.answers.next();
    await phone.sync();
  };
  await live.answers.next(isList('Arjun'));
  await ring();
  await rahul.createPatient('Meera');
  await live.answers.next(isList('Arjun', 'Meera'));
  await ring();
  assert.equal(phone.records.size, 2);

  isUp = server.restart();
  await isUp;
  await live.answers.next(isList('Arjun', 'Meera'));
  await rahul.createPatient('Ravi');
  await live.answers.next(isList('Arjun', 'Meera', 'Ravi'));
  do {
    await ring(); // the first one may come before Ravi
  } while (phone.records.size < 3);
  assert.equal(phone.steps.filter(step => step.reset).length, 1);
  assert.deepEqual([...live.ended.all, ...bell.ended.all], []);
});

test('graphql-sse: the client is asked to renew an expired token', async t => {
  const neha = await register(brief, 'Neha');
  await neha.renew();
  const { answers, ended } = subscribe(t, neha, 'subscription { live { me { username } } }');
  assert.deepEqual(await answers.next(), { data: { live: { me: { username: 'Neha' } } } });
  const { errors } = await answers.next();
  assert.deepEqual(errors[0].extensions, { code: 'UNAUTHENTICATED', reason: 'TOKEN_EXPIRED' });
  assert.equal(await ended.next(), 'complete');
  await neha.renew();
  const again = subscribe(t, neha, 'subscription { live { me { username } } }');
  assert.deepEqual(await again.answers.next(), { data: { live: { me: { username: 'Neha' } } } });
});

test('graphql-sse: answers and heartbeats pass a proxy that collects answers', async t => {
  const priya = await register(server, 'Priya');
  const proxy = await startProxy(server);
  t.after(proxy.stop);
  const { answers } = subscribe(t, { server: proxy, authorization: priya.authorization }, `subscription { ${names} }`);
  await answers.next(isList());
  await proxy.passed.next(':\n\n'); // after 25 seconds
  await priya.createPatient('Arjun');
  await answers.next(isList('Arjun'));
  assert.equal(proxy.requests, 1);
});
