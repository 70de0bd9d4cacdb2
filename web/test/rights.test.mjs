// The page of who sees and sets what.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { buildSchema } from 'graphql';
import { overflow, smallTargets, violations } from './access.mjs';
import { launch, screenshot, visit } from './browser.mjs';
import { load } from './modules.mjs';
import { startServer } from './server.mjs';

const file = name => readFile(new URL(`../../${name}`, import.meta.url), 'utf8');

const { rightsOf, rightsTo } = await load('src/schema/rights.ts');

let server, browser;

before(async () => {
  server = await startServer('--playground=false');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Opens the page; the test fails if the browser reports an error or calls another host. */
async function open(t, options, fragment = '') {
  const { page, trouble, close } = await visit(browser, server.base, options);
  await page.goto(`${server.base}/rights/${fragment}`);
  await page.getByRole('table').first().waitFor();
  t.after(async () => {
    await close();
    assert.deepEqual(trouble, []);
  });
  return page;
}

/** The table of docs/ownership.md, which the server's own compiler checks: "Type.field RELATION" -> "see, set". */
async function documented() {
  const [, table] = /<!-- The rights[^]*?-->\s*([^]*?)<!-- End/.exec(await file('docs/ownership.md'));
  const [head, , ...rows] = table.trim().split('\n').map(line => line.split('|').slice(1, -1).map(cell => cell.trim()));
  const rights = new Map();
  let type;
  for (const [names, ...cells] of rows) {
    type = /\*\*(\w+)\*\*/.exec(names)?.[1] ?? type;
    for (const [, field] of names.matchAll(/`(\w+)`/g)) {
      cells.forEach((cell, i) => rights.set(`${type}.${field} ${head[i + 1]}`, cell));
    }
  }
  return rights;
}

test('the page computes the rights that the server compiles', async () => {
  const expected = await documented();
  const computed = rightsOf(buildSchema(await file('schema.graphqls')));
  const relations = new Set([...expected.keys()].map(key => key.split(' ')[1]));
  const actual = computed.flatMap(type =>
    type.fields.flatMap(field => [...relations].map(relation => [`${type.name}.${field.name} ${relation}`, rightsTo(field, type, [relation]).join(', ')])),
  );
  assert.ok(actual.length > 900, `${actual.length} rights`);
  assert.deepEqual(Object.fromEntries(actual), Object.fromEntries(expected));
});

const rowOf = (page, field) => page.locator(`[id="${field}"]`);
const fields = page => page.locator('tbody tr[id]').evaluateAll(rows => rows.map(({ id }) => id));

test('a row says for each relation what it sees and sets', async t => {
  const page = await open(t);
  const heads = await page.locator('#Patient thead th').allInnerTexts();
  const cells = await rowOf(page, 'Patient.medicalHistory').locator('td').allInnerTexts();
  assert.deepEqual(Object.fromEntries(heads.slice(1).map((head, i) => [head, cells[i]])), {
    Self: 'see',
    Owner: 'see, set',
    'Assigned doctor': 'see, set',
    Admin: '–',
    Team: '–',
    'Team clinical': 'see, set',
    'Team desk': '–',
    'Any other account': '–',
  });
  assert.match(await rowOf(page, 'Mutations.verifyDoctor').innerText(), /Administrators\./);
  await screenshot(page, 'rights');
});

test('search and relation leave the rows that fit, and the page says how many', async t => {
  const page = await open(t);
  await page.getByLabel('Find').fill('MEDICAL history');
  assert.deepEqual(await fields(page), ['Patient.medicalHistory', 'Mutations.updatePatient']);
  await page.getByLabel('Find').fill('');
  await page.getByLabel('Who').selectOption('ADMIN');
  await page.getByLabel('May').selectOption('set');
  assert.deepEqual((await fields(page)).filter(id => id.startsWith('Doctor.isV') || id.startsWith('Patient.')), ['Doctor.isVerified']);
  assert.match(await page.getByRole('status').innerText(), /^\d+ of \d+ fields$/);
  await page.getByLabel('Find').fill('no such field');
  await page.getByText('No field is like that.').waitFor();
});

test('an address leads to its field', async t => {
  const page = await open(t, {}, '#Doctor.account');
  await page.waitForFunction(() => document.querySelector(':target')?.getBoundingClientRect().top < innerHeight);
  assert.equal(await page.evaluate(() => document.querySelector(':target').id), 'Doctor.account');
});

test('the theme that was chosen in the playground is the theme of the page', async t => {
  const page = await open(t);
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  assert.equal(await theme(), 'system');
  await page.evaluate(() => localStorage.setItem('caregraph.playground.look', '{"theme":"dark"}'));
  await page.reload();
  await page.getByRole('table').first().waitFor();
  assert.equal(await theme(), 'dark');
});

test('printed, it is the whole table and nothing else', async t => {
  const page = await open(t);
  const all = (await fields(page)).length;
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('search').isVisible(), false);
  assert.equal(await page.locator('tbody tr[id]:visible').count(), all);
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe-core finds nothing, ${colorScheme}`, async t => {
    const page = await open(t, { colorScheme });
    assert.deepEqual(await violations(page), []);
    await screenshot(page, `rights-${colorScheme}`);
  });

  test(`a phone shows all of it, ${colorScheme}`, async t => {
    const page = await open(t, { viewport: { width: 360, height: 740 }, colorScheme });
    assert.equal(await overflow(page), 0);
    assert.deepEqual(await smallTargets(page), []);
    assert.deepEqual(await violations(page), []);
    assert.match(await rowOf(page, 'Patient.medicalHistory').innerText(), /Medical|Illnesses/);
    await rowOf(page, 'Patient.medicalHistory').scrollIntoViewIfNeeded();
    await screenshot(page, `rights-phone-${colorScheme}`);
  });
}

test('the keyboard reaches the controls and the rows', async t => {
  const page = await open(t);
  const seen = [];
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    seen.push(await page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.type));
  }
  for (const name of ['Playground', 'REST', 'search', 'Print', 'User', 'id']) {
    assert.ok(seen.includes(name), `${name} is not among ${seen.join(', ')}`);
  }
});
