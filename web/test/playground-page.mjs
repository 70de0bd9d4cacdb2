// What a user does on the page, by the names that assistive technology sees.

/** Waits until the question can be edited and the schema is loaded. */
export async function ready(page) {
  await page.locator('.cm-content[aria-label=Question]').waitFor({ state: 'attached' });
  await page.locator('main[data-schema=loaded]').waitFor();
}

export const panel = (page, name) => page.getByRole('region', { name, exact: true });

export const editor = page => page.getByRole('textbox', { name: 'Question', exact: true });

export const asker = (page, name) => page.getByRole('group', { name: 'Ask as' }).getByRole('button', { name });

export const chooseAsker = (page, name) => asker(page, name).click();

export const activeAsker = page => page.getByRole('group', { name: 'Ask as' }).locator('[aria-pressed=true]').innerText();

/** The examples by the names of their operations, in the order of the tour. */
const titles = {
  Register: 'Open an account',
  CreatePatient: 'Create a patient',
  CreateDoctor: 'Create a doctor',
  AssignDoctor: 'Assign the doctor',
  PatientGraph: 'Read all of it at once',
  GraphRedacted: 'Read it without errors',
  SearchPatients: 'Search, page by page',
  UpdatePatient: 'Change what you have read',
  StrangersAttempt: 'Ask as a stranger',
};

export const tour = Object.keys(titles);

/** Shows one of the three panels of a phone. On a wide screen all are shown. */
export async function showPanel(page, name) {
  const button = page.getByRole('navigation', { name: 'Panels' }).getByRole('button', { name });
  if (await button.isVisible()) {
    await button.click();
  }
}

export async function openTab(page, name) {
  await showPanel(page, 'Ask');
  await page.getByRole('button', { name: 'Examples' }).click();
  await page.getByRole('group', { name: 'Examples' }).getByRole('button', { name: titles[name] }).click();
}

/** Opens the tab of an example, runs it and returns its answer. */
export async function runExample(page, name) {
  await openTab(page, name);
  return answerOf(page, name, () => execute(page));
}

export async function execute(page) {
  await showPanel(page, 'Ask');
  await panel(page, 'Question').getByRole('button', { name: 'Run', exact: true }).click();
}

/** Runs an action that sends the operation, and returns the answer when the page shows it. */
export async function answerOf(page, operationName, action) {
  const arriving = page.waitForResponse(
    response => response.url().endsWith('/graphql') && response.request().postDataJSON().operationName === operationName,
  );
  await action();
  const answer = await (await arriving).json();
  await shown(page);
  return answer;
}

/** Waits until the page shows the answer that it waits for. */
export async function shown(page) {
  await page.locator('#answer[aria-busy=false]').getByText(/^Asked as/).waitFor();
}

/** Writes a question into the open tab, with variables as text. */
export async function write(page, query, variables = '{}') {
  await showPanel(page, 'Ask');
  await fill(page, 'Question', query);
  await panel(page, 'Question').getByRole('button', { name: 'Variables' }).click();
  await fill(page, 'Variables', variables);
}

/** Replaces the text of an editor. */
export async function fill(page, label, text) {
  await page.locator(`.cm-content[aria-label=${label}]`).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('Delete');
  await page.keyboard.insertText(text);
}

/** Runs the question in the open tab and waits for the answer. */
export async function ask(page) {
  await execute(page);
  await shown(page);
}

export const explanation = page => page.locator('.explanation .words').innerText();
export const tone = page => page.locator('.explanation').getAttribute('data-tone');

export const textOf = (page, label) => page.locator(`.cm-content[aria-label=${label}]`).innerText();

/** The values of the variables editor. */
export const variables = async page => JSON.parse(await textOf(page, 'Variables'));

export const openAccounts = page => page.getByRole('button', { name: 'Accounts', exact: true }).click();

export async function fillForm(page, form, values) {
  const accounts = panel(page, 'Accounts');
  await accounts.getByRole('group', { name: 'What to do' }).getByRole('button', { name: form }).click();
  for (const [label, value] of Object.entries(values)) {
    await accounts.getByLabel(label).fill(value);
  }
  await accounts.locator('form').getByRole('button', { name: form }).click();
}

export async function runTourUpTo(page, last) {
  for (const name of tour.slice(0, tour.indexOf(last) + 1)) {
    await runExample(page, name);
  }
}
