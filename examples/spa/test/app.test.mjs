// The web app, as Vite builds it, in Chromium against the real server: CAREGRAPH_BIN names it, otherwise bin/caregraph of
// this repository.

import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { preview } from 'vite';
import { overflow, smallTargets, violations } from '../../../web/test/access.mjs';
import { launch, screenshot, visit } from '../../../web/test/browser.mjs';
import { createAdmin, startServer } from '../../../web/test/server.mjs';
import * as clinic from '../../test/clinic.mjs';

let server, pages, browser, site, desk;

/** The built app, with the server behind it as in vite.config.ts. */
function serve(base) {
  const proxy = { '/graphql': { target: base, ws: true } };
  return preview({
    root: fileURLToPath(new URL('..', import.meta.url)),
    preview: { host: '127.0.0.1', port: 0, proxy },
    logLevel: 'silent', // it logs each socket of a page that was closed
  });
}
const originOf = ({ httpServer }) => `http://127.0.0.1:${httpServer.address().port}`;

before(async () => {
  server = await startServer();
  pages = await serve(server.base);
  site = originOf(pages);
  browser = await launch();
  await createAdmin(server, 'admin@clinic.example', clinic.password);
  desk = await clinic.register(server.base, 'desk');
  const admin = await clinic.signIn(server.base, 'admin@clinic.example');
  const doctor = await clinic.createDoctor(desk, admin, 'Dr. Priya Patel', 'KMC-1');
  for (const [name, more] of [
    ['Arjun Sharma', { bloodGroup: 'B_POSITIVE', medicalHistory: 'No known allergies', recordNumber: 'OPD-2041' }],
    ['Lakshmi Rao', { medicalHistory: 'Asthma since 2014' }],
    ['Meera Nair', {}],
  ]) {
    await clinic.assign(desk, await clinic.createPatient(desk, name, more), doctor);
  }
});
after(async () => {
  await browser?.close();
  await pages?.close();
  await server?.stop();
});

const cards = page => page.locator('main > ul > li');
const card = (page, name) => cards(page).filter({ hasText: name });
const dialog = page => page.getByRole('dialog');

async function signIn(page, email = desk.email) {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(clinic.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await cards(page).first().waitFor();
}

/** Opens a visit for each account, and signs in. It fails if a page calls another host or logs an error. */
async function inBrowsers(emails, body, { origin = site, expected, ...options } = {}) {
  const visits = await Promise.all(emails.map(() => visit(browser, origin, options)));
  await Promise.all(visits.map(({ page }, index) => signIn(page, emails[index])));
  await body(...visits.map(({ page }) => page));
  await Promise.all(visits.map(({ close }) => close()));
  assert.deepEqual(visits.flatMap(({ trouble }) => trouble).filter(text => !expected?.test(text)), []);
}

async function edit(page, name, label, text) {
  await card(page, name).getByRole('button', { name: 'Edit' }).click();
  await dialog(page).getByLabel(label).fill(text);
}
const save = page => dialog(page).getByRole('button', { name: /^Save/ }).click();

test('a wrong password says so', async () => {
  const { page, close } = await visit(browser, site);
  await page.getByLabel('E-mail').fill(desk.email);
  await page.getByLabel('Password').fill('Wrong@123');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: /credentials/ }).waitFor();
  await screenshot(page, 'spa-sign-in');
  await close();
});

test('the list has the doctors of each patient, and a search', () =>
  inBrowsers([desk.email], async page => {
    await page.getByText('3 of 3').waitFor();
    await card(page, 'Arjun Sharma').getByText('Dr. Priya Patel, Cardiology').waitFor();
    await page.getByRole('searchbox').fill('opd-2041');
    await page.getByText('1 of 1').waitFor();
    assert.match(await cards(page).innerText(), /Arjun Sharma[\s\S]*No known allergies/);
  }));

test('what one browser changes, another one shows, also a patient that is new or gone', async t => {
  await inBrowsers([desk.email, desk.email], async (one, other) => {
    await edit(one, 'Lakshmi Rao', 'Address', '7 Church Street');
    const began = performance.now();
    await save(one);
    await card(other, 'Lakshmi Rao').getByText('7 Church Street').waitFor();
    t.diagnostic(`shown after ${Math.round(performance.now() - began)} ms`);
    await screenshot(one, 'spa-one');
    await screenshot(other, 'spa-other');
    const id = await clinic.createPatient(desk, 'Kavya Iyer');
    await Promise.all([one, other].map(page => page.getByText('4 of 4').waitFor()));
    await clinic.deletePatient(desk, id);
    await Promise.all([one, other].map(page => page.getByText('3 of 3').waitFor()));
    assert.equal(await card(other, 'Kavya Iyer').count(), 0);
  });
});

test('two people who change the same patient do not overwrite each other without a question', () =>
  inBrowsers([desk.email, desk.email], async (one, other) => {
    await edit(other, 'Meera Nair', 'History', 'Penicillin allergy');
    await edit(one, 'Meera Nair', 'History', 'Asthma');
    await save(one);
    await card(other, 'Meera Nair').getByText('Asthma').waitFor(); // behind the dialog
    await save(other);
    await dialog(other).getByText('Someone has changed this patient since you opened it.').waitFor();
    await dialog(other).getByText('Now: Asthma').waitFor();
    await screenshot(other, 'spa-conflict');
    assert.deepEqual(await violations(other), []);
    await dialog(other).getByRole('button', { name: 'Keep theirs' }).click();
    assert.equal(await dialog(other).count(), 0);

    await edit(other, 'Meera Nair', 'History', 'Penicillin allergy');
    await edit(one, 'Meera Nair', 'History', 'Asthma since 2020');
    await save(one);
    await card(other, 'Meera Nair').getByText('Asthma since 2020').waitFor();
    await save(other);
    await dialog(other).getByRole('button', { name: 'Save mine' }).click();
    await card(one, 'Meera Nair').getByText('Penicillin allergy').waitFor();
  }));

test('a chip stands for what an account may not read, and only for that', () =>
  inBrowsers(['admin@clinic.example', desk.email], async (admin, owner) => {
    assert.deepEqual(await card(admin, 'Arjun Sharma').locator('.chip').allInnerTexts(), ['hidden', 'hidden']);
    assert.doesNotMatch(await admin.locator('body').innerText(), /No known allergies|B_POSITIVE/);
    await screenshot(admin, 'spa-hidden');
    assert.equal(await owner.locator('.chip').count(), 0);
    assert.match(await card(owner, 'Arjun Sharma').innerText(), /B_POSITIVE[\s\S]*No known allergies/);
  }));

test('a refresh token is used once for all requests of a page and its tabs, and the list stays live', async t => {
  const brief = await startServer('--access-ttl', '2s');
  t.after(brief.stop);
  const briefPages = await serve(brief.base);
  t.after(() => briefPages.close());
  const origin = originOf(briefPages);
  const owner = await clinic.register(brief.base, 'desk');
  const patient = await clinic.createPatient(owner, 'Lakshmi Rao');
  await inBrowsers([owner.email], async page => {
    const session = () => page.evaluate(() => JSON.parse(localStorage.getItem('session')));
    const expired = (await session()).access;
    // The socket ends with the token, and renews it.
    await page.waitForFunction(old => JSON.parse(localStorage.getItem('session')).access !== old, expired);
    await clinic.updatePatient(owner, patient, { address: '9 Residency Road' });
    await card(page, 'Lakshmi Rao').getByText('9 Residency Road').waitFor();

    const tab = await page.context().newPage();
    await tab.goto(origin);
    await cards(tab).first().waitFor();
    await page.evaluate(access => {
      localStorage.setItem('session', JSON.stringify({ ...JSON.parse(localStorage.getItem('session')), access }));
    }, expired);
    const used = [];
    // A reload cuts off the renewal that is under way, which then uses its token again.
    page.context().on('requestfinished', request => {
      const { query, variables } = request.postDataJSON() ?? {};
      if (query?.includes('refreshToken')) used.push(variables.refresh);
    });
    await Promise.all([page.reload(), tab.reload()]);
    await Promise.all([page, tab].map(each => cards(each).first().waitFor()));
    await Promise.all([page, tab].map(each => each.getByText('desk', { exact: true }).waitFor()));
    assert.ok(used.length > 0);
    assert.equal(new Set(used).size, used.length);
  }, { origin });
});

test('an answer that is lost does not make a change twice', () =>
  inBrowsers([desk.email], async page => {
    const keys = [];
    await page.route('**/graphql', async route => {
      const request = route.request();
      if (!request.postData()?.includes('mutation UpdatePatient')) return route.fallback();
      keys.push(request.headers()['idempotency-key']);
      if (keys.length > 1) return route.fallback();
      await route.fetch();
      return route.abort('connectionreset');
    });
    await edit(page, 'Arjun Sharma', 'Address', '3 Lavelle Road');
    await save(page);
    await dialog(page).waitFor({ state: 'detached' }); // without a conflict with its own first attempt
    assert.equal(keys.length, 2);
    assert.ok(keys[0] && keys[0] === keys[1]);
  }, { expected: /ERR_CONNECTION_RESET/ }));

test('a session that ends elsewhere shows the sign-in, and a sign-out forgets the records in all tabs', async () => {
  const { page, close } = await visit(browser, site);
  await signIn(page);
  await clinic.signOutEverywhere(desk);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await signIn(page);
  const tab = await page.context().newPage();
  await tab.goto(site);
  await cards(tab).first().waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await Promise.all([page, tab].map(each => each.getByRole('button', { name: 'Sign in' }).waitFor()));
  assert.equal(await page.evaluate(() => localStorage.getItem('session')), 'null');
  await close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [[1280, 800], [360, 740]]) {
    test(`everything fits and can be read and tapped at ${width} px, ${colorScheme}`, () =>
      inBrowsers([desk.email], async page => {
        const look = async name => {
          await screenshot(page, `spa-${name}-${width}-${colorScheme}`);
          assert.deepEqual([await overflow(page), await smallTargets(page), await violations(page)], [0, [], []], name);
        };
        await look('list');
        await edit(page, 'Arjun Sharma', 'Address', '12 MG Road');
        await look('edit');
      }, { colorScheme, viewport: { width, height } }));
  }
}
