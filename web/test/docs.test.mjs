// The page of the REST addresses, in a real browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, screenshot, visit } from './browser.mjs';
import { startServer } from './server.mjs';

const rahul = { username: 'rahul_kumar', email: 'rahul.kumar@gmail.com', password: 'Secure@123', role: 'patient' };

let server, browser;

before(async () => {
  server = await startServer();
  browser = await launch();
  const response = await call('register', rahul);
  assert.equal(response.status, 201);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const call = (name, body) =>
  fetch(`${server.base}/api/auth/${name}/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Opens the page; the test fails if the browser reports an error or calls another host. */
async function open(t) {
  const { page, trouble, close } = await visit(browser, server.base);
  await page.goto(`${server.base}/docs/`);
  await page.waitForSelector('.opblock');
  t.after(async () => {
    await close();
    // The browser logs every answer with status 401; the tests expect those.
    assert.deepEqual(trouble.filter(text => !text.includes('status of 401')), []);
  });
  return page;
}

async function signIn(page, password = rahul.password) {
  await page.fill('#sign-in [name=email]', rahul.email);
  await page.fill('#sign-in [name=password]', password);
  await page.click('#sign-in button');
}

/** The visible one of the two elements for signing in and out. */
const shown = page => page.locator('#sign-in, #account').evaluateAll(all => all.filter(one => one.checkVisibility()).map(one => one.id));

/** Runs the operation with its example, and returns the status and the answer. */
async function tryOut(page, id) {
  const block = page.locator(`.opblock[id$="-${id}"]`);
  if (!(await block.locator('.execute').count())) {
    await block.locator('.opblock-summary-control').click();
  }
  await block.locator('.execute').click();
  const answer = block.locator('.live-responses-table .response');
  await answer.waitFor();
  return { status: await answer.locator('.response-col_status').innerText(), text: await answer.innerText(), block };
}

test('calls are tried as the account that signed in', async t => {
  const page = await open(t);
  assert.deepEqual(await shown(page), ['sign-in']);
  assert.match((await tryOut(page, 'me')).status, /^401/);
  await signIn(page);
  await page.waitForSelector('#account:not([hidden])');
  assert.deepEqual(await shown(page), ['account']);
  assert.equal(await page.locator('#account span').innerText(), `Signed in as ${rahul.email}`);
  const { status, text } = await tryOut(page, 'createPatient');
  assert.match(status, /^201/);
  assert.match(text, /"name": "Arjun Sharma"/);
  assert.match((await tryOut(page, 'patient')).status, /^200/);
  assert.match((await tryOut(page, 'updatePatient')).status, /^200/);
  await page.locator('.opblock[id$="-createPatient"] .live-responses-table').evaluate(answer => {
    answer.scrollIntoView();
    scrollBy(0, -500);
  });
  await screenshot(page, 'docs');
});

test('a reload keeps the session, signing out ends it here and at the server', async t => {
  const page = await open(t);
  await signIn(page);
  await page.waitForSelector('#account:not([hidden])');
  const { refresh } = await page.evaluate(() => JSON.parse(sessionStorage.getItem('caregraph.docs.session')));
  await page.reload();
  await page.waitForSelector('#account:not([hidden])');
  assert.match((await tryOut(page, 'patients')).status, /^200/);
  const ended = page.waitForResponse(response => response.url().endsWith('/api/auth/logout/'));
  await page.click('#account button');
  assert.equal((await ended).status(), 204);
  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  assert.equal((await call('token/refresh', { refresh })).status, 401);
});

test('a wrong password shows an error, and nothing is stored', async t => {
  const page = await open(t);
  await signIn(page, 'not the password');
  await page.waitForSelector('#fault:not(:empty)');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('logging in as a tried call signs in, too', async t => {
  const page = await open(t);
  assert.match((await tryOut(page, 'login')).status, /^200/);
  await page.waitForSelector('#account:not([hidden])');
  assert.match((await tryOut(page, 'me')).status, /^200/);
});
