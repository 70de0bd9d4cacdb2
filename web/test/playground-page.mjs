// What a user does on the page, by the names that assistive technology sees.

/** Waits until the operation editor accepts input and the schema is loaded. */
export async function ready(page) {
  await editor(page).waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-label^="Re-fetch GraphQL schema"]:enabled'));
}

export const editor = page => page.getByRole('region', { name: 'Operation Editor' }).locator('.view-lines').first();

export const asker = (page, name) => page.getByRole('group', { name: 'Ask as' }).getByRole('button', { name });

export const chooseAsker = (page, name) => asker(page, name).click();

export const activeAsker = page => page.getByRole('group', { name: 'Ask as' }).locator('[aria-pressed=true]').innerText();

export const openTab = (page, name) => page.locator(`.graphiql-tab-button[title="${name}"]`).click();

/** Opens the tab of an example, runs it and returns its answer. */
export async function runExample(page, name) {
  await openTab(page, name);
  return answerOf(page, name, () => execute(page));
}

export const execute = page => page.getByRole('button', { name: /^Execute query/ }).click();

/** Runs an action that sends the operation, and returns the answer when the page shows it. */
export async function answerOf(page, operationName, action) {
  const arriving = page.waitForResponse(
    response => response.url().endsWith('/graphql') && response.request().postDataJSON().operationName === operationName,
  );
  await action();
  const answer = await (await arriving).json();
  await page.getByText(/^Asked as/).waitFor();
  return answer;
}

export const explanation = page => page.locator('.explanation').innerText();

/** The values of the variables editor. */
export async function variables(page) {
  return JSON.parse(
    await page.evaluate(() => __MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith('variables.json')).getValue()),
  );
}

export const openAccounts = page => page.getByRole('button', { name: 'Accounts' }).click();

export async function fillForm(page, form, values) {
  const panel = page.getByRole('region', { name: 'Accounts' });
  await panel.getByRole('group', { name: 'What to do' }).getByRole('button', { name: form }).click();
  for (const [label, value] of Object.entries(values)) {
    await panel.getByLabel(label).fill(value);
  }
  await panel.locator('form').getByRole('button', { name: form }).click();
}

export const tour = [
  'Register',
  'CreatePatient',
  'CreateDoctor',
  'AssignDoctor',
  'PatientGraph',
  'GraphRedacted',
  'SearchPatients',
  'UpdatePatient',
  'StrangersAttempt',
];

export async function runTourUpTo(page, last) {
  for (const name of tour.slice(0, tour.indexOf(last) + 1)) {
    await runExample(page, name);
  }
}
