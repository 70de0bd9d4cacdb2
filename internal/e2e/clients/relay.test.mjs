// Relay: edges of payloads, counts, persisted documents, and `live` with an updater.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';
import { startServer } from '../../../web/test/server.mjs';
import { patientInput, register } from './account.mjs';
import assignMutation from './relay/__generated__/documentsAssignMutation.graphql.js';
import createMutation from './relay/__generated__/documentsCreateMutation.graphql.js';
import doctorsQuery from './relay/__generated__/documentsDoctorsQuery.graphql.js';
import liveSubscription from './relay/__generated__/documentsLiveSubscription.graphql.js';
import patientsQuery from './relay/__generated__/documentsPatientsQuery.graphql.js';
import { Reports, socketsOf } from './reports.mjs';

const { commitMutation, ConnectionHandler, createOperationDescriptor, Environment, fetchQuery, Network, Observable, RecordSource, requestSubscription, ROOT_ID, Store } = relay;

const persisted = fileURLToPath(new URL('relay/persisted.json', import.meta.url));

let server;
before(async () => {
  server = await startServer('--documents', persisted);
});
after(() => server.stop());

/** An environment of an account that sends documents by their ids alone, and what Relay warns of. */
function environmentOf(t, account) {
  const sent = [];
  const sockets = createClient({
    url: socketsOf(server), webSocketImpl: WebSocket, connectionParams: { Authorization: account.authorization },
  });
  t.after(() => sockets.dispose());
  const fetchById = async ({ id, text }, variables) => {
    sent.push({ id, text });
    const response = await fetch(`${server.base}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: account.authorization },
      body: JSON.stringify({ doc_id: id, variables }),
    });
    return response.json();
  };
  const subscribeById = ({ id, text }, variables) => {
    sent.push({ id, text });
    return Observable.create(sink => sockets.subscribe({ query: '', documentId: id, variables }, sink)); // graphql-ws wants a query
  };
  const environment = new Environment({ network: Network.create(fetchById, subscribeById), store: new Store(new RecordSource()) });
  const warnings = ['warn', 'error'].map(name => t.mock.method(console, name, () => {}));
  return { environment, sent, warned: () => warnings.flatMap(({ mock }) => mock.calls.map(call => call.arguments)) };
}

/** Fetches a query and keeps it. Returns what it shows, as text, from then on. */
async function show(t, environment, query, variables, textOf) {
  const shown = new Reports();
  const operation = createOperationDescriptor(query, variables);
  const kept = environment.retain(operation);
  t.after(() => kept.dispose());
  await fetchQuery(environment, query, variables).toPromise();
  const snapshot = environment.lookup(operation.fragment);
  shown.add(textOf(snapshot.data));
  const subscription = environment.subscribe(snapshot, ({ data }) => shown.add(textOf(data)));
  t.after(() => subscription.dispose());
  return shown;
}

const mutate = (environment, mutation, variables, updater) => new Promise((resolve, reject) => {
  commitMutation(environment, { mutation, variables, updater, onCompleted: resolve, onError: reject });
});

const namesOf = connection => `${connection.totalCount}: ${connection.edges.map(edge => edge.node.name).join(', ')}`;

/** Whether all documents were sent by the MD5 of their text, which the compiler has removed. */
function sentIds(sent, count) {
  const texts = JSON.parse(readFileSync(persisted));
  assert.equal(sent.length, count);
  for (const { id, text } of sent) {
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.ok(texts[id] && text === null, `${id} ${text}`);
  }
}

test('Relay: @prependEdge takes patientEdge, and the query of the payload has the count', async t => {
  const rahul = await register(server, 'Rahul');
  await rahul.createPatient('Arjun');
  const { environment, sent, warned } = environmentOf(t, rahul);
  const shown = await show(t, environment, patientsQuery, {}, ({ patients }) => namesOf(patients));
  await shown.next('1: Arjun');
  const connection = ConnectionHandler.getConnectionID(ROOT_ID, 'Clinic_patients');
  await mutate(environment, createMutation, { input: patientInput('Meera'), connections: [connection] }, store => {
    const count = store.getRootField('createPatient').getLinkedRecord('query').getLinkedRecord('patients', { first: 0 }).getValue('totalCount');
    store.get(connection).setValue(count, 'totalCount');
  });
  await shown.next('2: Meera, Arjun');
  assert.deepEqual(warned(), []);
  sentIds(sent, 2);
});

test('Relay: @prependEdge takes patientDoctorEdge with its mapping', async t => {
  const asha = await register(server, 'Asha');
  const patient = await asha.createPatient('Arjun');
  const [first, second] = [await asha.createDoctor('Dr. Rao'), await asha.createDoctor('Dr. Iyer')];
  await asha.assign(patient, first);
  const { environment, sent, warned } = environmentOf(t, asha);
  const textOf = ({ patient: { doctors } }) => doctors.edges.map(({ node, mapping }) => `${node.name} ${mapping.notes}`).join(', ');
  const shown = await show(t, environment, doctorsQuery, { id: patient }, textOf);
  await shown.next('Dr. Rao null');
  const connections = [ConnectionHandler.getConnectionID(patient, 'Patient_doctors')];
  await mutate(environment, assignMutation, { input: { patientId: patient, doctorId: second, notes: 'asthma' }, connections });
  await shown.next('Dr. Iyer asthma, Dr. Rao null');
  assert.deepEqual(warned(), []);
  sentIds(sent, 2);
});

test('Relay: live refreshes a list and its count with an updater', async t => {
  const dev = await register(server, 'Dev');
  const arjun = await dev.createPatient('Arjun');
  const { environment, sent, warned } = environmentOf(t, dev);
  const shown = await show(t, environment, patientsQuery, {}, ({ patients }) => namesOf(patients));
  await shown.next('1: Arjun');
  const live = requestSubscription(environment, {
    subscription: liveSubscription,
    variables: {},
    onError: error => shown.add(error),
    updater: store => {
      const fresh = store.getRootField('live').getLinkedRecord('patients', { first: 10 });
      const connection = ConnectionHandler.getConnection(store.getRoot(), 'Clinic_patients');
      connection.setValue(fresh.getValue('totalCount'), 'totalCount');
      connection.setLinkedRecords(fresh.getLinkedRecords('edges'), 'edges');
    },
  });
  t.after(() => live.dispose());
  const meera = await dev.createPatient('Meera');
  await shown.next('2: Meera, Arjun');
  await dev.rename(arjun, 'Arjun Rao');
  await shown.next('2: Meera, Arjun Rao');
  await dev.deletePatient(meera);
  await shown.next('1: Arjun Rao');
  assert.deepEqual(warned(), []);
  sentIds(sent, 2);
});
