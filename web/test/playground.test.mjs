import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, screenshot, visit } from './browser.mjs';
import {
  activeAsker,
  answerOf,
  asker,
  chooseAsker,
  editor,
  execute,
  explanation,
  fillForm,
  openAccounts,
  openTab,
  ready,
  runExample,
  runTourUpTo,
  tour,
  variables,
} from './playground-page.mjs';
import { createAdmin, startServer } from './server.mjs';

const admin = { 'E-mail': 'admin@clinic.example', Password: 'Morning-Rounds-7' };

let server;
let browser;

before(async () => {
  server = await startServer();
  await createAdmin(server, admin['E-mail'], admin.Password);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A test on a new visit. It fails if the page calls another host or violates its policy. */
function onPage(name, body, options) {
  test(name, async t => {
    const { page, trouble, close } = await visit(browser, server.base, options);
    await ready(page);
    await body(page, t);
    await close();
    assert.deepEqual(trouble, []);
  });
}

test('the first load asks no other host, reports nothing and ends in an editable editor', async t => {
  const start = performance.now();
  const { page, trouble, close } = await visit(browser, server.base);
  await editor(page).click();
  await page.keyboard.type('#');
  t.diagnostic(`editable after ${Math.round(performance.now() - start)} ms`);
  await ready(page);
  await screenshot(page, 'first-load');
  const policy = (await page.request.get(`${server.base}/`)).headers()['content-security-policy'];
  await close();
  assert.match(policy, /default-src 'none'; script-src 'self';/);
  assert.deepEqual(trouble, []);
});

onPage('the tour runs in order, with variables from the steps before', async page => {
  const answers = {};
  for (const name of tour) {
    answers[name] = await runExample(page, name);
    await screenshot(page, `tour-${name}`);
  }
  const { Register, CreatePatient, CreateDoctor, AssignDoctor, PatientGraph, GraphRedacted } = answers;
  for (const { data } of [Register, CreatePatient, CreateDoctor, AssignDoctor, answers.UpdatePatient]) {
    assert.deepEqual(Object.values(data)[0].userErrors, []);
  }
  assert.equal(PatientGraph.data.patient.doctors.edges[0].node.name, 'Dr. Priya Patel');
  assert.equal(PatientGraph.errors[0].extensions.code, 'FORBIDDEN_FIELD');
  assert.equal(GraphRedacted.errors, undefined);
  assert.deepEqual(GraphRedacted.extensions.redacted, [PatientGraph.errors[0].path]);
  assert.equal(answers.SearchPatients.data.patients.nodes[0].id, CreatePatient.data.createPatient.patient.id);
  assert.equal(answers.UpdatePatient.data.updatePatient.patient.version, 2);
  assert.equal(answers.StrangersAttempt.data.patient, null);
  assert.equal(answers.StrangersAttempt.data.patients.totalCount, 0);
  assert.match(await activeAsker(page), /^stranger_/);
});

onPage('each example can be run twice', async page => {
  await runTourUpTo(page, 'AssignDoctor');
  assert.equal((await runExample(page, 'Register')).data.register.userErrors.length, 0);
  assert.equal((await runExample(page, 'AssignDoctor')).data.assignDoctor.userErrors[0].code, 'NOT_FOUND'); // as the new account
  await runExample(page, 'CreatePatient');
  await runExample(page, 'UpdatePatient');
  assert.equal((await runExample(page, 'UpdatePatient')).data.updatePatient.patient.version, 3);
  assert.equal((await runExample(page, 'CreateDoctor')).data.createDoctor.userErrors[0].code, 'TAKEN');
  assert.match(await explanation(page), /Nothing was changed: TAKEN/);
});

onPage('a switch of the account asks the same query again: the stranger sees no patient', async page => {
  await runTourUpTo(page, 'PatientGraph');
  assert.match(await explanation(page), /1 value is hidden from you \(null\): Doctor\.account\. For PROFILE only/);
  const stranger = await answerOf(page, 'PatientGraph', () => page.getByRole('button', { name: '+ stranger' }).click());
  assert.equal(stranger.data.patient, null);
  assert.match(await explanation(page), /there is no such record for you/);
  await screenshot(page, 'switch-stranger');
  const owner = await answerOf(page, 'PatientGraph', () => chooseAsker(page, /^asha_/));
  assert.equal(owner.data.patient.name, 'Arjun Mehta');
  const nobody = await answerOf(page, 'PatientGraph', () => chooseAsker(page, 'nobody'));
  assert.equal(nobody.errors[0].extensions.code, 'UNAUTHENTICATED');
  assert.match(await explanation(page), /You are not signed in/);
});

onPage('a mutation is not run again by a switch', async page => {
  await runTourUpTo(page, 'CreatePatient');
  let sent = 0;
  page.on('request', request => (sent += request.url().endsWith('/graphql') ? 1 : 0));
  await chooseAsker(page, 'nobody');
  assert.equal(await activeAsker(page), 'nobody');
  assert.equal(sent, 0);
});

onPage('the panel registers, says what is wrong at its field, signs in and signs out', async page => {
  await openAccounts(page);
  const name = `meera_${Date.now()}`;
  await fillForm(page, 'Register', { Username: name, 'E-mail': `${name}@clinic.example`, Password: '12345678' });
  const panel = page.getByRole('region', { name: 'Accounts' });
  await panel.getByRole('alert').waitFor();
  await screenshot(page, 'panel-fault');
  assert.match(await panel.getByLabel('Password').getAttribute('aria-describedby'), /fault/);
  await panel.getByLabel('Password').fill('Evening-Rounds-8');
  await panel.locator('form').getByRole('button', { name: 'Register' }).click();
  await asker(page, new RegExp(`^${name}`)).waitFor();

  await openAccounts(page);
  await screenshot(page, 'panel-who-am-i');
  assert.match(await panel.innerText(), new RegExp(`${name}@clinic.example`));
  await panel.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You ask as nobody').waitFor();

  await fillForm(page, 'Sign in', { 'E-mail': `${name}@clinic.example`, Password: 'Evening-Rounds-8' });
  await asker(page, new RegExp(`^${name}`)).waitFor();
  assert.match(await activeAsker(page), new RegExp(`^${name}`));
});

onPage('an administrator sees the graph without clinical text, and why', async page => {
  await runTourUpTo(page, 'GraphRedacted');
  await openAccounts(page);
  const answer = await answerOf(page, 'GraphRedacted', () => fillForm(page, 'Sign in', admin));
  await screenshot(page, 'administrator');
  assert.equal(answer.data.patient.medicalHistory, null);
  const line = await explanation(page);
  assert.match(line, /3 values are hidden from you \(null\): Patient\.bloodGroup, Patient\.medicalHistory, Mapping\.notes/);
  assert.match(line, /For CLINICAL only: .*to this record you are SIGNED_IN and ADMIN/);
});

onPage('completion offers a field with its description and its ownership rule', async page => {
  await openTab(page, 'PatientGraph');
  await page.getByText('bloodGroup').first().click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('emer');
  await page.locator('.suggest-widget').getByText('emergencyContact').waitFor();
  const details = page.locator('.suggest-details');
  await details.getByText('Seen by CALLERS, set by CONTACTS').waitFor();
  await screenshot(page, 'completion');
  assert.match(await details.innerText(), /Phone number of the person to call in an emergency/);
});

onPage('the docs say who sees and who sets a field, and its limit; the explorer and the schema are there', async page => {
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const docs = page.locator('.graphiql-doc-explorer');
  await docs.locator('.graphiql-doc-explorer-type-name', { hasText: /^Patient$/ }).first().click();
  await docs.getByText('Exists for CIRCLE').waitFor();
  await screenshot(page, 'docs-type');
  await docs.locator('.graphiql-doc-explorer-field-name', { hasText: /^medicalHistory$/ }).click();
  await docs.getByText('Seen by CLINICAL, set by TREATERS').waitFor();
  await docs.getByText('At most 20,000 characters.').waitFor();
  await screenshot(page, 'docs-field');
  await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
  await page.getByText('Explorer', { exact: true }).waitFor();
  await screenshot(page, 'explorer');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Schema' }).click()]);
  assert.equal(download.suggestedFilename(), 'caregraph.graphqls');
});

onPage('a reload keeps accounts, tab and variables; localStorage holds no data', async page => {
  await runTourUpTo(page, 'UpdatePatient');
  const filled = await variables(page);
  await page.waitForFunction(expected => sessionStorage['graphiql:tabState'].includes(expected), '\\"expectedVersion\\": 2');
  await page.reload();
  await ready(page);
  assert.match(await activeAsker(page), /^asha_/);
  assert.deepEqual(await variables(page), filled);
  assert.equal((await answerOf(page, 'UpdatePatient', () => execute(page))).data.updatePatient.patient.version, 3);
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  const kept = await page.evaluate(() => ({ ...localStorage }));
  assert.deepEqual(
    Object.keys(kept).filter(key => !/^graphiql:(theme|visiblePlugin|\w+Flex)$/.test(key)),
    [],
  );
  assert.doesNotMatch(JSON.stringify(kept), /Arjun|asha|pat_|eyJ/);
});

onPage('a refused access token is renewed once, and an ended session shows a notice', async page => {
  await runTourUpTo(page, 'CreatePatient');
  await page.evaluate(() => {
    const key = 'caregraph.playground.accounts';
    const accounts = JSON.parse(sessionStorage[key]);
    accounts.list[0].tokens.access = 'not.a.token';
    sessionStorage[key] = JSON.stringify(accounts);
  });
  await page.reload();
  await ready(page);
  const answered = page.waitForResponse(
    async response => response.url().endsWith('/graphql') && (await response.text()).includes('totalCount'),
  );
  await openTab(page, 'SearchPatients');
  await execute(page);
  assert.equal((await (await answered).json()).data.patients.totalCount, 1);

  await page.evaluate(async () => {
    const { access } = JSON.parse(sessionStorage['caregraph.playground.accounts']).list[0].tokens;
    await fetch('graphql', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${access}` },
      body: JSON.stringify({ query: 'mutation { logoutEverywhere { userErrors { code } } }' }),
    });
  });
  await execute(page);
  await page.getByRole('alert').getByText(/The session of asha_\w+ has ended/).waitFor();
  assert.equal(await activeAsker(page), 'nobody');
});

test('an access token that is about to end is renewed before it is sent', async () => {
  const hasty = await startServer('--access-ttl', '50s');
  const { page, trouble, close } = await visit(browser, hasty.base);
  await ready(page);
  const sent = [];
  page.on('request', request => request.url().endsWith('/graphql') && sent.push(request.postDataJSON().operationName));
  await runTourUpTo(page, 'AssignDoctor');
  await close();
  await hasty.stop();
  assert.deepEqual(sent, ['Register', undefined, 'CreatePatient', undefined, undefined, 'CreateDoctor', undefined, 'AssignDoctor']);
  assert.deepEqual(trouble, []);
});

onPage('headers typed by hand win over the account', async page => {
  await runTourUpTo(page, 'SearchPatients');
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.getByRole('region', { name: 'Headers' }).locator('.view-lines').last().click();
  await page.keyboard.insertText('{"Authorization": "none"}');
  const answer = await answerOf(page, 'SearchPatients', () => execute(page));
  assert.equal(answer.errors[0].extensions.code, 'UNAUTHENTICATED');
});

onPage(
  'the page works at phone width, the result below the editor',
  async page => {
    await screenshot(page, 'phone-first-load');
    await runTourUpTo(page, 'GraphRedacted');
    await screenshot(page, 'phone-tour');
    const operation = await page.getByRole('region', { name: 'Operation Editor' }).boundingBox();
    const result = await page.getByRole('region', { name: 'Result Window' }).boundingBox();
    assert.ok(result.y >= operation.y + operation.height);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await page.getByRole('region', { name: 'Result Window' }).scrollIntoViewIfNeeded();
    await screenshot(page, 'phone-result');
    await openAccounts(page);
    await page.getByRole('region', { name: 'Accounts' }).getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await screenshot(page, 'phone-docs');
  },
  { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true },
);

onPage(
  'the page follows a dark system and can be switched to light',
  async page => {
    await runTourUpTo(page, 'GraphRedacted');
    await screenshot(page, 'dark');
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.getByRole('button', { name: 'Open settings dialog' }).click();
    await page.getByRole('button', { name: 'Light' }).click();
    assert.notEqual(await background(), dark);
  },
  { colorScheme: 'dark' },
);

test('without the playground there is a plain page with the addresses', async () => {
  const bare = await startServer('--playground=false');
  const { page, trouble, close } = await visit(browser, bare.base);
  const text = await page.locator('body').innerText();
  await close();
  await bare.stop();
  for (const address of ['/graphql', '/schema.graphqls']) {
    assert.ok(text.includes(address), text);
  }
  assert.deepEqual(trouble, []);
});
