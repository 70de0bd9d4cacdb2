// The page that the server shows if the app was not built, in a real browser.
// CAREGRAPH_PLAIN_BIN is a server binary that was built with an empty dist.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, screenshot, visit } from './browser.mjs';

const STEPS = 9;

let server, browser;

before(async () => {
  const binary = process.env.CAREGRAPH_PLAIN_BIN;
  assert.ok(binary, 'CAREGRAPH_PLAIN_BIN must name a server binary that was built with an empty web/dist');
  process.env.CAREGRAPH_BIN = binary; // read when server.mjs is loaded; every test file has its own process
  const { startServer } = await import('./server.mjs');
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Opens the page; the test fails if the browser reports an error or calls another host. */
async function open(t, options) {
  const { page, trouble, close } = await visit(browser, server.base, options);
  t.after(async () => {
    await close();
    assert.deepEqual(trouble, []);
  });
  return page;
}

const answer = page => page.locator('#result').innerText();
const chosen = page => page.locator('#accounts label:has(:checked)').innerText();

// answered runs the action and waits for the answer.
async function answered(page, action) {
  await page.evaluate(() => document.querySelector('#measure').replaceChildren());
  await action();
  await page.waitForFunction(() => document.querySelector('#measure').textContent && !document.querySelector('#run').ariaBusy);
  return answer(page);
}

async function runStep(page, number) {
  await page.locator('#tour button').nth(number - 1).click();
  return answered(page, () => page.click('#run'));
}

async function runSteps(page, last) {
  let text = '';
  for (let number = 1; number <= last; number++) {
    text = await runStep(page, number);
    assert.equal(await page.locator('#tour li').nth(number - 1).getAttribute('class'), 'done', `step ${number}: ${text}`);
  }
  return text;
}

test('the tour runs as it is on a fresh server, and nothing of it stays in the browser', async t => {
  const page = await open(t);
  const last = await runSteps(page, STEPS);
  assert.match(last, /"patient": null,/);
  assert.match(last, /"patients": \{ "totalCount": 0 \}/);
  assert.equal(await page.locator('#accounts label').count(), 4, 'nobody, desk, doctor, stranger');
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  const kept = await page.evaluate(() => JSON.stringify(sessionStorage));
  assert.doesNotMatch(kept, /Arjun|Asthma|98765/);
});

test('hidden values are marked and explained', async t => {
  const page = await open(t);
  await runSteps(page, 5);
  assert.equal(await page.locator('#result .hidden').count(), 1);
  assert.match(await page.locator('#notes').innerText(), /^FORBIDDEN_FIELD: 1 value is hidden from front_desk_/);
  await runStep(page, 6);
  assert.equal(await page.locator('#result .hidden').count(), 1);
  assert.match(await page.locator('#notes').innerText(), /^extensions\.redacted: 1 value is hidden/);
});

test('another account is one click, and the same query gets a new answer', async t => {
  const page = await open(t);
  await runSteps(page, STEPS);
  const mine = await runStep(page, 5);
  assert.match(mine, /Arjun Sharma/);
  const stranger = await answered(page, () => page.locator('#accounts label', { hasText: 'stranger' }).click());
  assert.doesNotMatch(stranger, /Arjun|Asthma/);
  assert.match(stranger, /"patient": null/);
  const nobody = await answered(page, () => page.locator('#accounts label', { hasText: 'Nobody' }).click());
  assert.match(nobody, /UNAUTHENTICATED/);
  const again = await answered(page, () => page.locator('#accounts label', { hasText: 'front_desk' }).click());
  assert.equal(again, mine);
});

test('a mutation is not sent again when the account changes', async t => {
  const page = await open(t);
  await runSteps(page, 3);
  await runStep(page, 2);
  const sent = [];
  page.on('request', request => sent.push(request.url()));
  await page.locator('#accounts label', { hasText: 'dr_priya' }).click();
  assert.match(await chosen(page), /dr_priya/);
  assert.deepEqual(sent, []);
});

test('an update of an older version is refused and explained', async t => {
  const page = await open(t);
  await runSteps(page, 2);
  await runStep(page, 8);
  const second = await answered(page, () => page.click('#run'));
  assert.match(second, /VERSION_CONFLICT/);
  assert.match(await page.locator('#notes').innerText(), /userErrors/);
});

test('people register, sign out and sign in, and hear what is wrong', async t => {
  const page = await open(t);
  await page.click('#open-register');
  const register = page.locator('#register');
  await register.getByLabel('Username').fill('meera');
  await register.getByLabel('E-mail').fill('meera@clinic.example');
  await register.getByLabel('Password').fill('12345678');
  await register.getByRole('button', { name: 'Register' }).click();
  await register.locator('.faults:not(:empty)').waitFor();
  await register.getByLabel('Password').fill('Lotus-pond-42');
  await register.getByRole('button', { name: 'Register' }).click();
  await page.locator('#accounts label', { hasText: 'meera' }).waitFor();
  await page.reload();
  assert.match(await chosen(page), /meera\s*patient/, 'signed in after a reload');
  await page.click('#sign-out');
  await page.locator('#accounts label', { hasText: 'meera' }).waitFor({ state: 'detached' });
  assert.match(await chosen(page), /Nobody/);
  await page.click('#open-login');
  const login = page.locator('#login');
  await login.getByLabel('E-mail').fill('meera@clinic.example');
  await login.getByLabel('Password').fill('wrong');
  await login.getByRole('button', { name: 'Sign in' }).click();
  await login.getByText('No active account found').waitFor();
  await login.getByLabel('Password').fill('Lotus-pond-42');
  await page.keyboard.press('Enter');
  await page.locator('#accounts label', { hasText: 'meera' }).waitFor();
  assert.doesNotMatch(await page.content(), /Lotus-pond/);
});

test('expired tokens are renewed once, however many requests wait for it', async t => {
  const page = await open(t);
  await runStep(page, 1);
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem('caregraph.accounts'));
    kept.list[0].tokens.access = 'expired';
    sessionStorage.setItem('caregraph.accounts', JSON.stringify(kept));
  });
  await page.reload();
  const renewals = [];
  page.on('request', request => /refreshToken/.test(request.postData() ?? '') && renewals.push(request));
  await page.fill('#query', '{ me { username } }');
  await page.fill('#variables', '');
  const text = await answered(page, () => page.evaluate(() => {
    for (let i = 0; i < 5; i++) document.querySelector('#run').click();
  }));
  assert.match(text, /front_desk_/);
  assert.equal(renewals.length, 1);
  await page.reload();
  await page.fill('#query', '{ me { username } }');
  await page.fill('#variables', '');
  assert.match(await answered(page, () => page.keyboard.press('Control+Enter')), /front_desk_/);
  assert.equal(renewals.length, 1);
});

test('a session that has ended elsewhere leaves the list', async t => {
  const page = await open(t);
  await runStep(page, 1);
  await page.fill('#query', 'mutation { logoutEverywhere { userErrors { code } } }');
  await page.fill('#variables', '');
  await answered(page, () => page.click('#run'));
  await page.fill('#query', '{ me { username } }');
  assert.match(await answered(page, () => page.click('#run')), /UNAUTHENTICATED/);
  assert.equal(await page.locator('#accounts label').count(), 1);
  assert.match(await chosen(page), /Nobody/);
});

test('invalid input shows an error and gets the focus', async t => {
  const page = await open(t);
  await page.fill('#variables', '{');
  await page.click('#run');
  await page.getByText('Variables must be a JSON object').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'variables');
  await page.fill('#variables', '');
  await page.click('summary');
  await page.fill('#headers', '{"Authorization": "Bearer nonsense"}');
  await page.fill('#query', '{ me { id } }');
  assert.match(await answered(page, () => page.click('#run')), /UNAUTHENTICATED/);
});

for (const colorScheme of ['light', 'dark']) {
  test(`a phone shows all of it, ${colorScheme}`, async t => {
    const page = await open(t, { viewport: { width: 360, height: 740 }, colorScheme });
    await runSteps(page, STEPS);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    for (const id of ['query', 'variables', 'result', 'run']) {
      const { x, width } = await page.locator(`#${id}`).boundingBox();
      assert.ok(x >= 0 && x + width <= 360, `${id} is cut off`);
    }
    await screenshot(page, `plain-phone-${colorScheme}`);
  });
}

test('every control has a name', async t => {
  const page = await open(t);
  await page.click('#open-register');
  const nameless = await page.evaluate(() => [...document.querySelectorAll('input, select, textarea, button')]
    .filter(control => !control.textContent.trim() && !control.labels?.length && !control.hasAttribute('aria-labelledby')).map(control => control.outerHTML));
  assert.deepEqual(nameless, []);
});
