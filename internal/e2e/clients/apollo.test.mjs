// Apollo Client: persisted queries, and what its cache makes of `live` and of payloads.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { ApolloProvider, useMutation, useQuery, useSubscription } from '@apollo/client/react';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';
import { createClient } from 'graphql-ws';
import { createElement, useEffect } from 'react';
import { create } from 'react-test-renderer';
import WebSocket from 'ws';
import { startServer } from '../../../web/test/server.mjs';
import { patientInput, register } from './account.mjs';
import { Reports, socketsOf } from './reports.mjs';

globalThis.IS_REACT_NATIVE_TEST_ENVIRONMENT = true; // else the renderer warns that it is deprecated for other tests

// The file that Apollo's generate-persisted-query-manifest made from two operations.
const manifestFile = fileURLToPath(new URL('../../documents/testdata/generate-persisted-query-manifest.json', import.meta.url));
const manifest = JSON.parse(readFileSync(manifestFile));

let server;
before(async () => {
  server = await startServer('--documents', manifestFile);
});
after(() => server.stop());

/** A fetch with the token of an account, and the requests that it has sent: their method, and whether they had the text. */
function fetchFor(account) {
  const requests = [];
  const send = async (url, options) => {
    const hasText = options.method === 'GET' ? new URL(url).searchParams.has('query') : 'query' in JSON.parse(options.body);
    requests.push(`${options.method} ${hasText ? 'text' : 'hash'}`);
    return fetch(url, { ...options, headers: { ...options.headers, authorization: account.authorization } });
  };
  return { requests, http: { uri: `${account.server.base}/graphql`, fetch: send } };
}

function clientOf(t, link) {
  const client = new ApolloClient({ cache: new InMemoryCache(), link });
  t.after(() => client.stop());
  return client;
}

const sha256 = text => createHash('sha256').update(text).digest('hex');

for (const useGETForHashedQueries of [false, true]) {
  const method = useGETForHashedQueries ? 'GET' : 'POST';

  test(`Apollo Client: automatic persisted queries over ${method}`, async t => {
    const asha = await register(server, `Asha.${method}`);
    const { requests, http } = fetchFor(asha);
    const query = gql(`query Me${method} { me { username } }`);
    for (let device = 0; device < 2; device++) {
      const client = clientOf(t, ApolloLink.from([new PersistedQueryLink({ sha256, useGETForHashedQueries }), new HttpLink(http)]));
      const { data } = await client.query({ query });
      assert.equal(data.me.username, `Asha.${method}`);
    }
    assert.deepEqual(requests, [`${method} hash`, 'POST text', `${method} hash`]);
  });
}

test('Apollo Client: documents of a registered manifest are never sent', async t => {
  const dev = await register(server, 'Dev');
  const id = await dev.createPatient('Arjun');
  const { requests, http } = fetchFor(dev);
  const ids = generatePersistedQueryIdsFromManifest({ loadManifest: () => manifest });
  const client = clientOf(t, ApolloLink.from([new PersistedQueryLink(ids), new HttpLink(http)]));
  const parts = gql('fragment PatientParts on Patient { id name }');
  const rename = gql`mutation Rename($id: ID!, $name: String!) {
    updatePatient(id: $id, input: { name: $name }) { patient { ...PatientParts } userErrors { code } } } ${parts}`;
  const patients = gql`query Patients($first: Int) { patients(first: $first) { nodes { ...PatientParts } } } ${parts}`;
  await client.mutate({ mutation: rename, variables: { id, name: 'Arjun Rao' } });
  const { data } = await client.query({ query: patients, variables: { first: 10 } });
  assert.deepEqual(data.patients.nodes.map(node => node.name), ['Arjun Rao']);
  assert.deepEqual(requests, ['POST hash', 'POST hash']);
});

test('Apollo Client: a batch link shows why batches are refused', async t => {
  const neha = await register(server, 'Neha');
  const client = clientOf(t, new BatchHttpLink({ uri: `${server.base}/graphql`, headers: { authorization: neha.authorization } }));
  const queries = [gql('query A { me { username } }'), gql('query B { me { role } }')];
  const refusals = await Promise.all(queries.map(query => client.query({ query }).catch(error => error.message)));
  const message = 'Batches are not supported: send one operation for each request.';
  assert.deepEqual(refusals, [message, message]);
});

const fields = 'patients(first: 10) { totalCount edges { cursor node { id name } } }';
const list = gql(`query List { ${fields} }`);

/** Shows a component in a client's context, next to the list. Returns what the list shows. */
function show(t, client, Component) {
  const shown = new Reports();
  const List = () => {
    const { data } = useQuery(list);
    useEffect(() => data && shown.add(textOf(data)), [data]);
  };
  const screen = create(createElement(ApolloProvider, { client }, createElement(List), createElement(Component)));
  t.after(() => screen.unmount());
  return shown;
}

const textOf = ({ patients }) => `${patients.totalCount}: ${patients.edges.map(edge => edge.node.name).join(', ')}`;

test('Apollo Client: useSubscription(live) refreshes the list and the count that useQuery shows', async t => {
  const rahul = await register(server, 'Rahul');
  const arjun = await rahul.createPatient('Arjun');
  const { requests, http } = fetchFor(rahul);
  const sockets = createClient({
    url: socketsOf(server), webSocketImpl: WebSocket, connectionParams: { Authorization: rahul.authorization },
  });
  t.after(() => sockets.dispose());
  const client = clientOf(t, ApolloLink.split(({ operationType }) => operationType === 'subscription', new GraphQLWsLink(sockets), new HttpLink(http)));
  const subscription = gql(`subscription Live { live { ${fields} } }`);
  const shown = show(t, client, () => void useSubscription(subscription));
  await shown.next('1: Arjun');
  const meera = await rahul.createPatient('Meera');
  await shown.next('2: Meera, Arjun');
  await rahul.rename(arjun, 'Arjun Rao');
  await shown.next('2: Meera, Arjun Rao');
  await rahul.deletePatient(meera);
  await shown.next('1: Arjun Rao');
  assert.deepEqual(requests, ['POST text']);
});

/** Shows the list and runs one mutation once it is there. */
async function mutateNextToTheList(t, account, document, options) {
  const { requests, http } = fetchFor(account);
  const client = clientOf(t, new HttpLink(http));
  let mutate;
  const shown = show(t, client, () => {
    [mutate] = useMutation(document, options);
  });
  await shown.next('1: Arjun');
  await mutate({ variables: { input: patientInput('Meera') } });
  await shown.next('2: Meera, Arjun');
  assert.deepEqual(requests, ['POST text', 'POST text']);
  const cached = client.readQuery({ query: list });
  const { data } = await client.query({ query: list, fetchPolicy: 'network-only' });
  assert.deepEqual(cached, data);
}

test('Apollo Client: the query of a payload refreshes the list without cache code', async t => {
  const priya = await register(server, 'Priya');
  await priya.createPatient('Arjun');
  await mutateNextToTheList(t, priya, gql(`mutation Create($input: CreatePatientInput!) {
    createPatient(input: $input) { userErrors { code } query { ${fields} } } }`));
});

test('Apollo Client: the edge of a payload goes into the list', async t => {
  const ravi = await register(server, 'Ravi');
  await ravi.createPatient('Arjun');
  const document = gql`mutation Create($input: CreatePatientInput!) {
    createPatient(input: $input) { userErrors { code } patientEdge { cursor node { id name } } } }`;
  await mutateNextToTheList(t, ravi, document, {
    update(cache, { data }) {
      cache.updateQuery({ query: list }, ({ patients }) => ({
        patients: { ...patients, totalCount: patients.totalCount + 1, edges: [data.createPatient.patientEdge, ...patients.edges] },
      }));
    },
  });
});
