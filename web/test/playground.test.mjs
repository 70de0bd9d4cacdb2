import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenshot, visit } from './browser.mjs';
import { playground } from './on-page.mjs';
import {
  activeAsker,
  answerOf,
  asker,
  chooseAsker,
  editor,
  execute,
  explanation,
  fill,
  fillForm,
  openAccounts,
  openTab,
  panel,
  ready,
  runExample,
  runTourUpTo,
  textOf,
  tour,
  variables,
  write,
} from './playground-page.mjs';
import { createAdmin, startServer } from './server.mjs';

const admin = { 'E-mail': 'admin@clinic.example', Password: 'Morning-Rounds-7' };

const { shared, onPage } = playground(server => createAdmin(server, admin['E-mail'], admin.Password));

test('the first load asks no other host, reports nothing and ends in an editable editor', async t => {
  const start = performance.now();
  const { page, trouble, close } = await visit(shared.browser, shared.server.base);
  await editor(page).click();
  await page.keyboard.type('#');
  t.diagnostic(`editable after ${Math.round(performance.now() - start)} ms`);
  await ready(page);
  await screenshot(page, 'first-load');
  const policy = (await page.request.get(`${shared.server.base}/`)).headers()['content-security-policy'];
  await close();
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';/);
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
  assert.deepEqual((await runExample(page, 'UpdatePatient')).data.updatePatient.userErrors, []);
  assert.equal((await runExample(page, 'CreateDoctor')).data.createDoctor.userErrors[0].code, 'TAKEN');
  assert.match(await explanation(page), /Nothing was changed: TAKEN/);
});

onPage('a switch of the account asks the same query again: the stranger sees no patient', async page => {
  await runTourUpTo(page, 'PatientGraph');
  assert.match(await explanation(page), /1 value is hidden from you: Doctor\.account\. For PROFILE only/);
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
  const accounts = panel(page, 'Accounts');
  await accounts.getByRole('alert').waitFor();
  await screenshot(page, 'panel-fault');
  assert.match(await accounts.getByLabel('Password').getAttribute('aria-describedby'), /fault/);
  await accounts.getByLabel('Password').fill('Evening-Rounds-8');
  await accounts.locator('form').getByRole('button', { name: 'Register' }).click();
  await asker(page, new RegExp(`^${name}`)).waitFor();

  await openAccounts(page);
  await screenshot(page, 'panel-who-am-i');
  assert.match(await accounts.innerText(), new RegExp(`${name}@clinic.example`));
  await accounts.getByRole('button', { name: 'Sign out' }).click();
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
  assert.match(line, /3 values are hidden from you: Patient\.bloodGroup, Patient\.medicalHistory, Mapping\.notes/);
  assert.match(line, /For CLINICAL only: .*to this record you are SIGNED_IN and ADMIN/);
});

onPage('completion offers a field with its description and its ownership rule', async page => {
  await openTab(page, 'PatientGraph');
  await editor(page).getByText('bloodGroup').click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('emer');
  await page.locator('.cm-tooltip-autocomplete').getByText('emergencyContact').waitFor();
  const details = page.locator('.cm-completionInfo');
  await details.getByText('Seen by CALLERS, set by CONTACTS').waitFor();
  await screenshot(page, 'completion');
  assert.match(await details.innerText(), /Phone number of the person to call in an emergency/);
});

onPage('an unknown field is marked while one types', async page => {
  await openTab(page, 'PatientGraph');
  await editor(page).getByText('bloodGroup').click();
  await page.keyboard.type('Type');
  await page.locator('.cm-lintRange-error').first().hover();
  await page.locator('.cm-diagnostic').getByText(/Cannot query field "\w*Type\w*" on type "Patient"/).waitFor();
});

onPage('a variable that does not fit is marked while one types', async page => {
  await openTab(page, 'CreatePatient');
  const values = page.locator('.cm-content[aria-label=Variables]');
  await values.getByText('"MALE"').dblclick();
  await page.keyboard.insertText('TALL');
  await values.locator('.cm-lintRange-error').first().hover();
  await page.locator('.cm-diagnostic').getByText(/Value "TALL" does not exist in "Gender" enum/).waitFor();
});

onPage('the docs say who sees and who sets a field, and its limit; they search, open questions, and have the schema', async page => {
  await page.getByRole('button', { name: 'Docs', exact: true }).click();
  const docs = panel(page, 'Docs');
  await docs.getByRole('button', { name: 'Patient', exact: true }).click();
  await docs.getByText('Exists for CIRCLE').waitFor();
  await screenshot(page, 'docs-type');
  await docs.getByRole('button', { name: 'medicalHistory', exact: true }).click();
  await docs.getByText('Seen by CLINICAL, set by TREATERS').waitFor();
  await docs.getByText('At most 20,000 characters.').waitFor();
  await screenshot(page, 'docs-field');
  await docs.getByRole('searchbox').fill('assignDoctor');
  await docs.getByRole('button', { name: 'Mutation.assignDoctor', exact: true }).click();
  await docs.getByText('Arguments').waitFor();
  await docs.getByRole('button', { name: 'Open as a question' }).click();
  assert.match(await editor(page).innerText(), /mutation AssignDoctor\(\$input: AssignDoctorInput!\)/);
  assert.deepEqual(await variables(page), { input: { patientId: '', doctorId: '' } });
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Schema', exact: true }).click()]);
  assert.equal(download.suggestedFilename(), 'caregraph.graphqls');
});

onPage('F1 and Ctrl-click show the field in the docs', async page => {
  await openTab(page, 'PatientGraph');
  await editor(page).getByText('medicalHistory').click();
  await page.keyboard.press('F1');
  await panel(page, 'Docs').getByRole('heading', { name: 'medicalHistory' }).waitFor();
  await editor(page).getByText('bloodGroup').click({ modifiers: ['ControlOrMeta'] });
  await panel(page, 'Docs').getByRole('heading', { name: 'bloodGroup' }).waitFor();
});

onPage('Prettify keeps comments and puts the question and its variables into the usual form', async page => {
  await write(page, '# mine\nquery Mine($id:ID!){patient(id:$id){name age}}', '{"id":"pat_1"}');
  await page.getByRole('button', { name: 'Prettify' }).click();
  await page.waitForFunction(() => sessionStorage['caregraph.playground.tabs'].includes('patient(id: $id)'));
  assert.match(await editor(page).innerText(), /# mine\nquery Mine\(\$id: ID!\) \{\n {2}patient\(id: \$id\) \{\n {4}name\n/);
  assert.match(await textOf(page, 'Variables'), /^\{\n {2}"id": "pat_1"\n\}/);
});

onPage('a reload keeps accounts, tab and variables; localStorage holds no data', async page => {
  await runTourUpTo(page, 'UpdatePatient');
  const filled = await variables(page);
  await page.waitForFunction(expected => sessionStorage['caregraph.playground.tabs'].includes(expected), '\\"expectedVersion\\": 2');
  await page.reload();
  await ready(page);
  assert.match(await activeAsker(page), /^asha_/);
  assert.deepEqual(await variables(page), filled);
  assert.deepEqual((await answerOf(page, 'UpdatePatient', () => execute(page))).data.updatePatient.userErrors, []);
  await page.getByRole('button', { name: 'Docs', exact: true }).click();
  const kept = await page.evaluate(() => ({ ...localStorage }));
  assert.deepEqual(Object.keys(kept), ['caregraph.playground.look']);
  assert.deepEqual(Object.keys(JSON.parse(kept['caregraph.playground.look'])).sort(), ['docs', 'split', 'theme']);
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
  const { page, trouble, close } = await visit(shared.browser, hasty.base);
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
  await fill(page, 'Headers', '{"Authorization": "none"}');
  const answer = await answerOf(page, 'SearchPatients', () => execute(page));
  assert.equal(answer.errors[0].extensions.code, 'UNAUTHENTICATED');
});

onPage(
  'the page follows a dark system and can be switched to light',
  async page => {
    await runTourUpTo(page, 'GraphRedacted');
    await screenshot(page, 'dark');
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await page.getByRole('button', { name: 'Help and settings' }).click();
    await page.getByRole('group', { name: 'Theme' }).getByRole('button', { name: 'light' }).click();
    assert.notEqual(await background(), dark);
  },
  { colorScheme: 'dark' },
);

test('without the playground there is a plain page with the addresses', async () => {
  const bare = await startServer('--playground=false');
  const { page, trouble, close } = await visit(shared.browser, bare.base);
  const text = await page.locator('body').innerText();
  await close();
  await bare.stop();
  for (const address of ['/graphql', '/schema.graphqls']) {
    assert.ok(text.includes(address), text);
  }
  assert.deepEqual(trouble, []);
});
