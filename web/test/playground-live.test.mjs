// Subscriptions in the playground. The test plays the server's side of the WebSocket, so it decides when a push comes.

import assert from 'node:assert/strict';
import { overflow, serious, smallTargets } from './access.mjs';
import { screenshot } from './browser.mjs';
import { playground } from './on-page.mjs';
import { ask, editor, execute, explanation, openTab, panel, ready, runTourUpTo, tone, write } from './playground-page.mjs';

const { onPage, onEachLook } = playground();

const answer = page => panel(page, 'Answer');

/** Plays the server for the WebSockets of the page. Returns what the page sends, and the open socket. */
async function playServer(page) {
  const server = { received: [], socket: undefined };
  await page.routeWebSocket(/\/graphql$/, socket => {
    server.socket = socket;
    socket.onMessage(text => {
      const message = JSON.parse(text);
      server.received.push(message);
      if (message.type === 'connection_init') {
        socket.send(JSON.stringify({ type: 'connection_ack' }));
      }
      if (message.type === 'subscribe') {
        server.push({ data: { live: { patients: { totalCount: 1 } } } });
      }
    });
  });
  server.push = payload => server.socket.send(JSON.stringify({ type: 'next', id: '1', payload }));
  await page.reload(); // the play begins with the page
  await ready(page);
  return server;
}

const subscription = 'subscription Count { live { patients { totalCount } } }';

/** Runs the subscription as a new account, and returns the two pushes that the page shows. */
async function showTwoPushes(page) {
  await runTourUpTo(page, 'Register');
  const server = await playServer(page);
  await write(page, subscription);
  await execute(page);
  const pushes = answer(page).getByRole('log', { name: 'Pushes' }).locator(':scope > details');
  await pushes.first().waitFor();
  server.push({ data: { live: { patients: { totalCount: 2 } } } });
  await pushes.nth(1).waitFor();
  return { server, pushes };
}

onPage('each push is shown with its time and size, until one stops it', async page => {
  const { server, pushes } = await showTwoPushes(page);
  await screenshot(page, 'live');
  assert.match(await pushes.first().innerText(), /^2 \d+:\d\d:\d\d.* \d+ B[\s\S]*totalCount\s+2$/);
  assert.match(await pushes.nth(1).locator(':scope > summary').innerText(), /^1 \d+:\d\d:\d\d.* \d+ B$/);
  assert.equal(await tone(page), 'good');
  const [init, subscribe] = server.received;
  assert.match(init.payload.Authorization, /^Bearer eyJ/);
  assert.equal(subscribe.payload.query, subscription);
  const closed = new Promise(resolve => server.socket.onClose(resolve));
  await page.getByRole('button', { name: 'Stop' }).click();
  assert.equal(await closed, 1000);
  await panel(page, 'Question').getByRole('button', { name: 'Run', exact: true }).waitFor();
});

onEachLook('the live view can be used by everyone', async (page, look) => {
  await showTwoPushes(page);
  await screenshot(page, `live-${look}`);
  assert.deepEqual(await serious(page), []);
  assert.equal(await overflow(page), 0);
  assert.deepEqual(look.startsWith('phone') ? await smallTargets(page, '#answer') : [], []);
});

onPage('an ended connection and a refused subscription say so', async page => {
  await runTourUpTo(page, 'Register');
  const server = await playServer(page);
  await write(page, subscription);
  await execute(page);
  await answer(page).getByRole('log').waitFor();
  await server.socket.close({ code: 4401, reason: 'Session ended' });
  await page.getByText('The connection ended with code 4401: Session ended.').first().waitFor();
  assert.equal(await tone(page), 'fault');
  await execute(page);
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  const fault = { message: 'No.', extensions: { code: 'FORBIDDEN' } };
  server.socket.send(JSON.stringify({ type: 'error', id: '1', payload: [fault] }));
  await page.getByText(/This account may not call this/).first().waitFor();
  assert.match(await explanation(page), /This account may not call this/);
});

onPage('one click keeps a query live in a tab of its own, if the server has subscriptions', async page => {
  await page.route('**/schema.graphqls', async route => {
    const text = await (await route.fetch()).text();
    await route.fulfill({ body: text.includes('type Subscription') ? text : `${text}\ntype Subscription { live: Query }` });
  });
  await runTourUpTo(page, 'CreatePatient');
  const server = await playServer(page);
  await openTab(page, 'PatientGraph');
  await ask(page);
  await answer(page).getByRole('button', { name: 'Live' }).click();
  await answer(page).getByRole('log').waitFor();
  const { payload } = server.received.at(-1);
  assert.match(payload.query, /^subscription LivePatientGraph\(\$patient: ID!\) \{\n {2}live \{\n {4}patient\(id: \$patient\) \{/);
  assert.match(payload.variables.patient, /^pat_/);
  assert.match(await editor(page).innerText(), /^subscription LivePatientGraph/);
});

onPage('a real change reaches the live view over a real WebSocket', async page => {
  await runTourUpTo(page, 'CreatePatient');
  await write(page, '{ patients { totalCount } }');
  await ask(page);
  await answer(page).getByRole('button', { name: 'Live' }).click();
  const pushes = answer(page).getByRole('log', { name: 'Pushes' }).locator(':scope > details');
  await pushes.first().locator('.leaf', { hasText: /totalCount\s*1/ }).waitFor();
  await openTab(page, 'CreatePatient');
  await execute(page);
  await page.getByRole('navigation', { name: 'Questions' }).getByRole('button', { name: 'Live', exact: true }).click();
  await pushes.first().locator('.leaf', { hasText: /totalCount\s*2/ }).waitFor();
});
