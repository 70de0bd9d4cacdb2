// The page of the REST addresses, in a real browser.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { overflow, smallTargets, violations } from './access.mjs';
import { launch, screenshot, visit } from './browser.mjs';
import { load } from './modules.mjs';
import { startServer } from './server.mjs';

const { readShareLink } = await load('src/share/link.ts');

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
async function open(t, options) {
  const { page, trouble, close } = await visit(browser, server.base, options);
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

const steps = ['Open an account', 'Create a patient', 'Create a doctor', 'Assign the doctor', 'Read it in one answer'];

const step = (page, title) => page.locator('#story li').filter({ hasText: title });

/** Runs a step of the story, and returns its answer when the page shows it. */
async function runStep(page, title) {
  await step(page, title).getByRole('button').click();
  await step(page, title).locator('.status').waitFor();
  assert.match(await step(page, title).locator('.status').innerText(), /^20[01]/, title);
  return JSON.parse(await step(page, title).getByLabel('Answer', { exact: true }).innerText());
}

async function runStory(page) {
  let answer;
  for (const title of steps) {
    answer = await runStep(page, title);
  }
  return answer;
}

test('the story goes from an account to a nested answer, and on to the playground', async t => {
  const page = await open(t);
  assert.deepEqual(await page.locator('#story h3').allInnerTexts(), steps);
  assert.equal(await step(page, 'Create a patient').getByRole('button').isDisabled(), true);
  const [assignment] = await runStory(page);
  assert.equal(assignment.patient_details.name, 'Arjun Sharma');
  assert.equal(assignment.doctor_details.name, 'Dr. Priya Patel');
  const link = new URL(await page.locator('#story .onward').getAttribute('href'));
  assert.equal(link.pathname, '/');
  assert.deepEqual(readShareLink(link.hash).variables, { patient: `pat_${assignment.patient}` });
  await screenshot(page, 'docs-story');
});

test('the story shows no token, and signs in with it', async t => {
  const page = await open(t);
  const { tokens } = await runStep(page, 'Open an account');
  assert.deepEqual(tokens, { access: '(not shown)', refresh: '(not shown)' });
  assert.match(await page.locator('#account span').innerText(), /^Signed in as rahul_\w+@clinic\.example$/);
  assert.doesNotMatch(await page.locator('body').innerText(), /eyJ/);
});

test('the page has one title, and ways to the other pages', async t => {
  const page = await open(t);
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.equal(await page.getByRole('heading').filter({ hasText: 'REST' }).count(), 1);
  for (const [name, path] of [['Playground', '/'], ['Who sees what', '/rights/'], ['openapi.json', '/openapi.json']]) {
    const href = await page.getByRole('navigation').getByRole('link', { name }).evaluate(({ href }) => href);
    assert.equal(href, server.base + path);
    assert.equal((await fetch(href)).status, 200);
  }
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe-core finds nothing, ${colorScheme}`, async t => {
    const page = await open(t, { colorScheme });
    await runStory(page);
    await tryOut(page, 'createPatient');
    assert.deepEqual(await violations(page), []);
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, `docs-${colorScheme}`);
  });

  test(`a phone shows all of it, ${colorScheme}`, async t => {
    const page = await open(t, { viewport: { width: 360, height: 740 }, colorScheme });
    await runStory(page);
    await tryOut(page, 'createPatient');
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await smallTargets(page), []);
    await page.evaluate(() => scrollTo(0, 0));
    await screenshot(page, `docs-phone-${colorScheme}`);
  });
}
