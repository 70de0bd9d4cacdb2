// What the page shows of an answer: its data first, and the truth in the line below.

import assert from 'node:assert/strict';
import { screenshot } from './browser.mjs';
import { playground } from './on-page.mjs';
import {
  answerOf,
  ask,
  chooseAsker,
  editor,
  execute,
  explanation,
  fillForm,
  openAccounts,
  panel,
  runExample,
  runTourUpTo,
  shown,
  textOf,
  tone,
  write,
} from './playground-page.mjs';
import { createAdmin } from './server.mjs';

const admin = { 'E-mail': 'admin@clinic.example', Password: 'Morning-Rounds-7' };
const { onPage } = playground(server => createAdmin(server, admin['E-mail'], admin.Password));

const answer = page => panel(page, 'Answer');

async function asAdmin(page) {
  await runTourUpTo(page, 'PatientGraph');
  await openAccounts(page);
  await answerOf(page, 'PatientGraph', () => fillForm(page, 'Sign in', admin));
}

onPage('a hidden value is a chip in its place, with the reason on hover and on tap', async page => {
  await asAdmin(page);
  const row = answer(page).locator('.leaf', { hasText: /^medicalHistory/ });
  const chip = row.getByRole('button', { name: 'hidden: CLINICAL only' });
  const reason = row.getByText(/^For CLINICAL only: those who may read clinical text/);
  assert.equal(await reason.isVisible(), false);
  await chip.hover();
  await reason.waitFor();
  await screenshot(page, 'hidden-reason');
  await page.mouse.move(5, 5);
  await reason.waitFor({ state: 'hidden' });
  await chip.focus();
  await page.keyboard.press('Enter');
  await reason.waitFor();
  await page.keyboard.press('Escape');
  await reason.waitFor({ state: 'hidden' });
  assert.equal(await answer(page).getByRole('button', { name: /^hidden: / }).count(), 3);
});

onPage('data comes before the errors, which fold into one line each', async page => {
  await asAdmin(page);
  const data = await answer(page).getByText('Arjun Mehta').boundingBox();
  const errors = answer(page).getByRole('region', { name: 'Errors' });
  assert.ok(data.y < (await errors.boundingBox()).y);
  const lines = errors.locator('summary');
  assert.equal(await lines.count(), 3);
  for (const line of await lines.all()) {
    assert.ok((await line.boundingBox()).height < 40);
    assert.match(await line.innerText(), /FORBIDDEN_FIELD/);
  }
  assert.equal(await errors.getByText('"path"').first().isVisible(), false);
  await lines.first().click();
  await errors.getByText('"path"').first().waitFor();
});

onPage('one click asks again with @redact: the same chips, no errors', async page => {
  await asAdmin(page);
  await answer(page).getByRole('button', { name: 'hidden: CLINICAL only' }).first().click();
  const asked = await answerOf(page, 'PatientGraph', () =>
    answer(page).locator(':popover-open').getByRole('button', { name: 'Ask again with @redact' }).click(),
  );
  assert.equal(asked.errors, undefined);
  assert.equal(asked.extensions.redacted.length, 3);
  assert.match(await editor(page).innerText(), /query PatientGraph\(\$patient: ID!\) @redact \{/);
  assert.equal(await answer(page).getByRole('button', { name: /^hidden: / }).count(), 3);
  assert.equal(await page.getByRole('button', { name: 'Ask again with @redact' }).count(), 0);
});

onPage('the raw JSON is one click away', async page => {
  await runTourUpTo(page, 'CreatePatient');
  await answer(page).getByRole('button', { name: 'Raw JSON' }).click();
  assert.equal(JSON.parse(await textOf(page, '"Raw JSON of the answer"')).data.createPatient.patient.name, 'Arjun Mehta');
});

onPage('an answer with tokens never prints one', async page => {
  const { data } = await runExample(page, 'Register');
  const { access, refresh } = data.register.tokens;
  await answer(page).getByText('access token: kept by this page').waitFor();
  await answer(page).getByText('refresh token: kept by this page').waitFor();
  await screenshot(page, 'tokens');
  await answer(page).getByRole('button', { name: 'Raw JSON' }).click();
  await answer(page).locator('.cm-content').waitFor();
  const html = await page.evaluate(() => {
    const texts = root => [...root.querySelectorAll('*')].flatMap(node => (node.shadowRoot ? texts(node.shadowRoot) : [])).concat(root.innerHTML);
    return texts(document.documentElement).join();
  });
  assert.ok(html.includes('refresh token: kept by this page'));
  assert.ok(!html.includes(access) && !html.includes(refresh));
});

onPage('the lines below an answer have its size, time, cost and statements, as far as the server says them', async page => {
  await runTourUpTo(page, 'Register');
  const took = page.getByLabel('What the answer took');
  assert.match(await took.innerText(), /Size\s+[\d.]+ k?B\s+Time\s+[\d.]+ ms/);
  await page.route('**/graphql', async route => {
    assert.equal(route.request().headers()['x-caregraph-explain'], '1');
    await route.fulfill({
      json: { data: { me: null }, extensions: { cost: { requested: 38, limit: 50000 } } },
      headers: { 'Server-Timing': 'total;dur=2.5, db;dur=1.25, statements;desc="3"' },
    });
  });
  await execute(page);
  await took.getByText('38 of 50,000').waitFor();
  assert.match(await took.innerText(), /Server\s+2\.5 ms\s+Database\s+1\.3 ms\s+Statements\s+3/);
});

onPage('a long list shows its first records, and a flat one is a table', async page => {
  const nodes = Array.from({ length: 80 }, (_, index) => ({ id: `pat_${index}`, name: `Patient ${index}` }));
  await page.route('**/graphql', route => route.fulfill({ json: { data: { patients: { nodes } } } }));
  await ask(page);
  assert.equal(await answer(page).getByRole('row').count(), 51);
  await answer(page).getByRole('button', { name: 'Show 30 more' }).click();
  assert.equal(await answer(page).getByRole('row').count(), 81);
});

onPage('a null that stands for a hidden value inside it has the chip', async page => {
  const hidden = { message: 'You may not see this.', path: ['me', 'email'], extensions: { code: 'FORBIDDEN_FIELD' } };
  await page.route('**/graphql', route => route.fulfill({ json: { data: { me: null }, errors: [hidden] } }));
  await write(page, '{ me { email } }');
  await ask(page);
  await answer(page).getByRole('button', { name: 'hidden: ACCOUNT only' }).waitFor();
});

for (const [what, query, code, says] of [
  ['a syntax error', '{ me { id }', 'GRAPHQL_PARSE_FAILED', /^Syntax error in line 1: .* Correct the question there/],
  ['an unknown field', '{\n  me { shoe }\n}', 'GRAPHQL_VALIDATION_FAILED', /^The schema does not allow this in line 2: .*shoe.* Ctrl-Space lists what is allowed/],
  ['a question that is too large', `{ ${'a: me { id } '.repeat(60).replace(/a:/g, (_, at) => `a${at}:`)} }`, 'LIMIT_EXCEEDED', /^The question is too large\. .* Ask for smaller pages/],
  ['a missing sign-in', '{ me { id } }', 'UNAUTHENTICATED', /^You are not signed in/],
  ['a value that cannot be used', '{ doctors(first: 1000) { totalCount } }', 'BAD_USER_INPUT', /^A value cannot be used\. .* Change the argument first\./],
]) {
  onPage(`the line under the answer says what to change after ${what}`, async page => {
    await runExample(page, 'Register');
    if (code === 'UNAUTHENTICATED') {
      await chooseAsker(page, 'nobody');
    }
    await write(page, query);
    await ask(page);
    assert.match(await explanation(page), says);
    assert.equal(await tone(page), 'fault');
    await answer(page).locator('summary', { hasText: code }).waitFor();
  });
}

onPage('the line says how long to wait after too many requests, and that something else than the server answered', async page => {
  const limited = { message: 'Too many requests of this kind.', extensions: { code: 'RATE_LIMITED', retryAfter: 7 } };
  await page.route('**/graphql', route => route.fulfill({ status: 429, json: { errors: [limited] } }));
  await ask(page);
  assert.match(await explanation(page), /^Too many requests\. Wait 7 seconds, then run the same question again\./);
  assert.equal(await tone(page), 'fault');
  await page.unroute('**/graphql');
  await page.route('**/graphql', route => route.fulfill({ status: 404, body: '<h1>Not here</h1>' }));
  await execute(page);
  await page.getByRole('status').getByText(/HTTP status 404/).waitFor();
});

onPage('variables that are not JSON are not sent, and the line says so', async page => {
  await write(page, '{ me { id } }', '{"a": ');
  let sent = 0;
  page.on('request', request => (sent += request.url().endsWith('/graphql') ? 1 : 0));
  await ask(page);
  assert.match(await explanation(page), /^Nothing was sent\. The variables are not JSON/);
  assert.equal(sent, 0);
});

onPage('the line is green only without errors', async page => {
  await runTourUpTo(page, 'CreateDoctor');
  assert.equal(await tone(page), 'good');
  await runExample(page, 'CreateDoctor');
  assert.match(await explanation(page), /^Nothing was changed: TAKEN/);
  assert.equal(await tone(page), 'fault');
  await runExample(page, 'AssignDoctor');
  await runExample(page, 'PatientGraph');
  assert.equal(await tone(page), 'partial');
  await page.getByRole('button', { name: '+ stranger' }).click();
  await page.getByText(/there is no such record for you/).waitFor();
  assert.equal(await tone(page), 'partial');
  await shown(page);
});
