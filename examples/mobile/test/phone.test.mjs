// The phone against the real server: CAREGRAPH_BIN names it, otherwise bin/caregraph of this repository.

import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { createAdmin, startServer } from '../../../web/test/server.mjs';
import * as clinic from '../../test/clinic.mjs';
import { buildRoad } from '../../test/road.mjs';
import { Phone } from '../dist/phone.js';
import { file } from '../dist/store.js';

let server, base, directory;
before(async () => {
  server = await startServer();
  base = server.base;
  directory = await mkdtemp(join(tmpdir(), 'caregraph-phone-'));
  await createAdmin(server, 'admin@clinic.example', clinic.password);
});
after(async () => {
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** How many patients an account has on the server. */
const countOf = async account => (await clinic.ask(account, '{ patients { totalCount } }')).patients.totalCount;
const names = phone => phone.patients().map(({ name }) => name);

/** A phone whose app can be started again from the same file, with another network each time. */
function device(t, name, url = base, webSocket = WebSocket) {
  const running = new Set();
  t.after(() => running.forEach(phone => phone.stop()));
  return fetch => {
    const phone = new Phone(file(join(directory, name)), url, fetch, webSocket);
    running.add(phone);
    return phone;
  };
}

async function signedIn(start, account) {
  const phone = start();
  assert.deepEqual(await phone.api.signIn(account.email, clinic.password), []);
  return phone;
}

/** Waits until the condition holds after a change of the screen. It gives up after half a minute. */
function until(phone, holds) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`never: ${holds}`)), 30_000);
    phone.onChange = () => {
      if (!holds()) return;
      clearTimeout(deadline);
      resolve();
    };
    phone.onChange();
  });
}

const isChange = init => init.body.includes('mutation CreatePatient');
const offline = () => Promise.reject(new TypeError('offline'));
const losesAnswers = async (url, init) => {
  await (await fetch(url, init)).text();
  throw new TypeError('the answer was lost');
};

test('a patient created offline is created once, though answers are lost and the app starts again', async t => {
  const asha = await clinic.register(base, 'asha');
  const start = device(t, 'asha');
  await signedIn(start, asha);

  const away = start(offline);
  away.createPatient(clinic.newPatient('Arjun Sharma'));
  await away.catchUp();
  assert.deepEqual([names(away), away.store.state.outbox.length, await countOf(asha)], [[], 1, 0]);

  for (const attempt of [1, 2]) {
    const unlucky = start(losesAnswers);
    await unlucky.catchUp();
    assert.equal(unlucky.store.state.outbox.length, 1, `attempt ${attempt}`);
    assert.equal(await countOf(asha), 1, `attempt ${attempt}: the server has it`);
  }

  const replayed = [];
  const lucky = start(async (url, init) => {
    const response = await fetch(url, init);
    if (isChange(init)) replayed.push(response.headers.get('Idempotency-Replayed'));
    return response;
  });
  await lucky.catchUp();
  assert.deepEqual([lucky.store.state.outbox, names(lucky)], [[], ['Arjun Sharma']]);
  assert.deepEqual(replayed.filter(Boolean), ['true']);
  assert.equal(await countOf(asha), 1);
});

test('a crash before the step is stored loses nothing', async t => {
  const kiran = await clinic.register(base, 'kiran');
  const start = device(t, 'kiran');
  const phone = await signedIn(start, kiran);
  await clinic.createPatient(kiran, 'Meera Nair');
  phone.store.transaction = () => {
    throw new Error('the app ends');
  };
  await phone.catchUp();
  const again = start();
  assert.deepEqual([names(again), again.store.state.cursor], [[], null]);
  await again.catchUp();
  assert.deepEqual(names(again), ['Meera Nair']);
});

test('after a day offline a revoked patient is gone, with the bell and without a call', async t => {
  const desk = await clinic.register(base, 'desk');
  const priya = await clinic.register(base, 'priya', 'DOCTOR');
  const admin = await clinic.signIn(base, 'admin@clinic.example');
  const entry = await clinic.createDoctor(priya, admin, 'Dr. Priya Patel', 'KMC-1', true);
  const revoked = await clinic.createPatient(desk, 'Arjun Sharma', { bloodGroup: 'B_POSITIVE' });
  const kept = await clinic.createPatient(desk, 'Lakshmi Rao');
  const mapping = await clinic.assign(desk, revoked, entry);
  await clinic.assign(desk, kept, entry);

  const road = await buildRoad(base);
  t.after(road.cut);
  let refuse;
  const refused = new Promise(resolve => (refuse = resolve));
  class Observed extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener('error', refuse);
    }
  }
  const phone = await signedIn(device(t, 'priya', road.base, Observed), priya);
  phone.start();
  await until(phone, () => names(phone).length === 2);
  const [arjun] = phone.patients();
  assert.deepEqual([arjun.bloodGroup, phone.doctorsOf(arjun).map(({ name }) => name)], ['B_POSITIVE', ['Dr. Priya Patel']]);

  await road.cut();
  await clinic.removeMapping(desk, mapping);
  assert.deepEqual(names(phone), ['Arjun Sharma', 'Lakshmi Rao'], 'still on the device');
  await refused; // a connection that cannot be made must not end the bell
  await road.repair();
  await until(phone, () => names(phone).length === 1);
  assert.deepEqual(names(phone), ['Lakshmi Rao']);
  assert.equal(JSON.stringify(phone.store.state).includes('Arjun'), false);

  await clinic.updatePatient(desk, kept, { address: '1 Church Street' });
  await until(phone, () => phone.patients()[0].address === '1 Church Street');
});

test('a change of a patient that someone else has changed is refused, and the screen has both', async t => {
  const ravi = await clinic.register(base, 'ravi');
  const id = await clinic.createPatient(ravi, 'Asha Verma');
  const phone = await signedIn(device(t, 'ravi'), ravi);
  await phone.catchUp();
  await clinic.updatePatient(ravi, id, { address: '1 Church Street' });
  phone.updatePatient(phone.patients()[0], { address: '2 Brigade Road' });
  await phone.catchUp();
  const [{ refusal, variables }] = phone.store.state.outbox;
  assert.deepEqual([refusal[0].code, variables.input.address], ['VERSION_CONFLICT', '2 Brigade Road']);
  assert.equal(phone.patients()[0].address, '1 Church Street');
});

test('a change that the server cannot accept does not hold up the next one', async t => {
  const nila = await clinic.register(base, 'nila');
  const phone = await signedIn(device(t, 'nila'), nila);
  phone.createPatient({ ...clinic.newPatient('No such field'), shoeSize: 42 });
  phone.createPatient(clinic.newPatient('Kavya Iyer'));
  await phone.catchUp();
  assert.deepEqual(names(phone), ['Kavya Iyer']);
  assert.deepEqual(phone.store.state.outbox.map(({ refusal }) => refusal[0].code), ['BAD_USER_INPUT']);
});

test('a change that was sent three days ago is not sent again', async t => {
  const uma = await clinic.register(base, 'uma');
  const start = device(t, 'uma');
  await signedIn(start, uma);
  const away = start(offline);
  away.createPatient(clinic.newPatient('Dev Menon'));
  await away.catchUp();
  assert.ok(away.store.state.outbox[0].sentAt > 0);
  away.store.transaction(draft => (draft.outbox[0].sentAt -= 72 * 3_600_000));
  const phone = start();
  await phone.catchUp();
  assert.equal(phone.store.state.outbox[0].refusal[0].code, 'OUTCOME_UNKNOWN');
  assert.equal(await countOf(uma), 0);
});

test('a refresh token is used once, however many requests need it, and the bell goes on', async t => {
  const brief = await startServer('--access-ttl', '2s');
  t.after(brief.stop);
  const omar = await clinic.register(brief.base, 'omar');
  const start = device(t, 'omar', brief.base);
  await signedIn(start, omar);
  const used = [];
  const phone = start((url, init) => {
    const { query, variables } = JSON.parse(init.body);
    if (query.includes('refreshToken')) used.push(variables.refresh);
    return fetch(url, init);
  });
  const expired = phone.store.state.tokens.access;
  phone.start();
  await until(phone, () => phone.api.access() !== expired);
  await clinic.createPatient(omar, 'Farah Khan');
  await until(phone, () => names(phone).includes('Farah Khan'));
  phone.stop();

  phone.store.transaction(draft => (draft.tokens.access = expired));
  const before = used.length;
  const answers = await Promise.all([1, 2, 3].map(() => phone.api.ask('{ me { username } }', {})));
  assert.deepEqual(answers.map(({ me }) => me.username), ['omar', 'omar', 'omar']);
  assert.ok(used.length > before);
  assert.equal(new Set(used).size, used.length);
});

test('the answer to a renewal can be lost', async t => {
  const tara = await clinic.register(base, 'tara');
  const start = device(t, 'tara');
  const phone = await signedIn(start, tara);
  const used = phone.api.access();
  let lost = 0;
  const unlucky = start((url, init) => (init.body.includes('refreshToken') && !lost++ ? losesAnswers(url, init) : fetch(url, init)));
  await unlucky.api.renew(used);
  assert.equal(lost, 2);
  assert.equal((await unlucky.api.ask('{ me { username } }', {})).me.username, 'tara');
});

test('an ended session keeps what waits, for the same account only', async t => {
  const sana = await clinic.register(base, 'sana');
  const other = await clinic.register(base, 'other');
  const start = device(t, 'sana');
  const phone = await signedIn(start, sana);
  await clinic.createPatient(sana, 'Rohan Das');
  await phone.catchUp();
  await clinic.signOutEverywhere(sana);
  phone.createPatient(clinic.newPatient('Ishaan Roy'));
  await phone.catchUp();
  assert.deepEqual([phone.api.isSignedIn, names(phone), phone.store.state.outbox.length], [false, ['Rohan Das'], 1]);

  await phone.api.signIn(sana.email, clinic.password);
  await phone.catchUp();
  assert.deepEqual(names(phone), ['Ishaan Roy', 'Rohan Das']);
  await phone.api.signIn(other.email, clinic.password);
  assert.deepEqual([names(phone), phone.store.state.cursor], [[], null]);
  await phone.catchUp();
  assert.deepEqual(names(phone), []);
});

test('a cursor that the server does not know any more starts from the beginning', async t => {
  const vik = await clinic.register(base, 'vik');
  const phone = await signedIn(device(t, 'vik'), vik);
  await clinic.createPatient(vik, 'Anita Bose');
  phone.store.transaction(draft => {
    draft.cursor = 'of another server';
    draft.records.pat_999 = { __typename: 'Patient', id: 'pat_999', name: 'Stale', version: 1 };
  });
  await phone.catchUp();
  assert.deepEqual(names(phone), ['Anita Bose']);
});
