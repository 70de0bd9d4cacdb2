// A phone that keeps records, over plain fetch.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from '../../../web/test/server.mjs';
import { administrator, register } from './account.mjs';
import { Crash, Phone } from './phone.mjs';

let server, admin;
before(async () => {
  server = await startServer();
  admin = await administrator(server);
});
after(() => server.stop());

const all = `{ patients(first: 100) { nodes { __typename id name mappings(first: 50, isActive: null) { nodes { id isActive doctor { id } } } } }
  doctors(first: 100) { nodes { __typename id name isVerified } } }`;

/** Checks that a phone holds what its account can see now, and nothing else. */
async function holdsAll(phone) {
  const { patients, doctors } = await phone.account.must(all);
  const seen = [...patients.nodes, ...doctors.nodes];
  const byId = (a, b) => a.id.localeCompare(b.id);
  assert.deepEqual([...phone.records.values()].sort(byId), seen.sort(byId));
  return seen.map(record => record.name);
}

/** A doctor with a verified entry, and an owner whose patient is assigned to it. */
async function clinic(name) {
  const owner = await register(server, `${name}.owner`), doctor = await register(server, `${name}.doctor`, 'DOCTOR');
  const entry = await doctor.createDoctor(`Dr. ${name}`, true);
  await admin.verify(entry, true);
  const patient = await owner.createPatient(`${name}'s patient`);
  const mapping = await owner.assign(patient, entry);
  return { owner, doctor, entry, patient, mapping };
}

test('fetch: what the doctor lost is gone from the phone', async () => {
  const { owner, doctor, patient, mapping } = await clinic('Gone');
  const phone = new Phone(doctor);
  await phone.sync();
  assert.ok((await holdsAll(phone)).includes("Gone's patient"));
  await owner.rename(patient, 'Arjun');
  await phone.sync();
  assert.ok((await holdsAll(phone)).includes('Arjun'));
  await owner.remove(mapping);
  await phone.sync();
  assert.deepEqual(phone.steps.at(-1).gone, [patient]);
  await holdsAll(phone);
});

test('fetch: a deleted patient is gone from the phone of its owner', async () => {
  const phone = new Phone(await register(server, 'Deleted'));
  const patient = await phone.account.createPatient('Arjun');
  await phone.sync();
  await holdsAll(phone);
  await phone.account.deletePatient(patient);
  await phone.sync();
  assert.deepEqual(phone.steps.at(-1).gone, [patient]);
  await holdsAll(phone);
});

test('fetch: the phone begins again when the standing of its account changed', async () => {
  const { doctor, entry, patient } = await clinic('Reset');
  const phone = new Phone(doctor);
  await phone.sync();
  for (const [isVerified, resets] of [[false, 2], [true, 3]]) {
    await admin.verify(entry, isVerified);
    await phone.sync();
    await holdsAll(phone);
    assert.equal(phone.records.has(patient), isVerified);
    assert.equal(phone.steps.filter(step => step.reset).length, resets);
  }
});

test("fetch: the phone begins again with another account's cursor", async () => {
  const rahul = new Phone(await register(server, 'Rahul')), asha = new Phone(await register(server, 'Asha'));
  await rahul.account.createPatient('Arjun');
  await asha.account.createPatient('Meera');
  await rahul.sync();
  asha.cursor = rahul.cursor;
  await asha.sync();
  await holdsAll(asha);
  assert.deepEqual(asha.sent, [rahul.cursor, null]);
});

test('fetch: pages of one record miss no change that comes between them', async () => {
  const rahul = await register(server, 'Pages'), phone = new Phone(rahul, 1);
  const patients = [];
  for (const name of ['Arjun', 'Meera', 'Ravi', 'Tara']) {
    patients.push(await rahul.createPatient(name));
  }
  await phone.sync();
  await holdsAll(phone);
  for (const id of patients) {
    await rahul.rename(id, `${id} again`);
  }
  await phone.page();
  await rahul.rename(phone.steps.at(-1).nodes[0].id, 'changed after its page');
  await rahul.deletePatient(patients[3]);
  await phone.sync();
  assert.ok((await holdsAll(phone)).includes('changed after its page'));
  assert.ok(phone.steps.every(step => step.nodes.length + step.gone.length <= 1));
});

test('fetch: a crash between the records and the cursor of any page loses nothing', async () => {
  const { owner, doctor, entry, patient, mapping } = await clinic('Crash');
  const phone = new Phone(doctor, 1);
  const more = [];
  for (const name of ['Arjun', 'Meera', 'Ravi']) {
    more.push(await owner.createPatient(name));
    await owner.assign(more.at(-1), entry);
  }
  await crashAtEachPage(phone);
  assert.ok((await holdsAll(phone)).includes('Ravi'));
  await owner.rename(more[0], 'Arjun Rao');
  await owner.remove(mapping);
  await owner.deletePatient(more[1]);
  await crashAtEachPage(phone);
  const names = await holdsAll(phone);
  assert.ok(names.includes('Arjun Rao') && !phone.records.has(patient) && !phone.records.has(more[1]));
});

/** Lets a phone catch up that crashes the first time that it stores any page. */
async function crashAtEachPage(phone) {
  const crashed = new Set();
  phone.beforeCursor = step => {
    const page = JSON.stringify([step.nodes, step.gone]);
    if (!crashed.has(page)) {
      crashed.add(page);
      throw new Crash();
    }
  };
  for (let isOver = false; !isOver;) {
    isOver = await phone.sync().then(() => true, error => {
      assert.ok(error instanceof Crash, error);
      return false;
    });
  }
  assert.ok(crashed.size > 2);
}
