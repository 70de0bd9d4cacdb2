// axe-core looks at each state of the page, light and dark, wide and narrow.

import assert from 'node:assert/strict';
import { serious } from './access.mjs';
import { screenshot } from './browser.mjs';
import { playground } from './on-page.mjs';
import { ask, chooseAsker, editor, openAccounts, panel, runTourUpTo, showPanel, write } from './playground-page.mjs';

const { onEachLook } = playground();

const states = {
  start: () => {},
  question: async page => {
    await runTourUpTo(page, 'PatientGraph');
    await showPanel(page, 'Ask');
  },
  answer: page => showPanel(page, 'Answer'),
  compare: async page => {
    await panel(page, 'Answer').getByRole('button', { name: 'Side by side' }).click();
    await page.getByRole('dialog', { name: 'Side by side' }).getByText(/lines differ/).waitFor();
  },
  copy: async page => {
    await page.keyboard.press('Escape');
    await showPanel(page, 'Ask');
    await panel(page, 'Question').getByRole('button', { name: 'Copy as' }).click();
    await panel(page, 'Copy as').waitFor();
  },
  examples: async page => {
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Examples' }).click();
  },
  nobody: async page => {
    await page.keyboard.press('Escape');
    await chooseAsker(page, 'nobody');
    await showPanel(page, 'Answer');
  },
  raw: page => panel(page, 'Answer').getByRole('button', { name: 'Raw JSON' }).click(),
  fault: async page => {
    await write(page, '{ me { shoe } }');
    await ask(page);
  },
  completion: async page => {
    await write(page, '{ me { user } }');
    await editor(page).getByText('user').click();
    await page.keyboard.press('Control+Space');
    await page.locator('.cm-completionInfo').waitFor();
  },
  docs: async page => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('ControlOrMeta+k');
    await panel(page, 'Docs').getByRole('button', { name: 'Mutation', exact: true }).click();
  },
  accounts: page => openAccounts(page),
  help: page => page.getByRole('button', { name: 'Help and settings' }).click(),
};

onEachLook('axe-core finds nothing serious', async (page, look, t) => {
  for (const [name, reach] of Object.entries(states)) {
    await reach(page);
    await screenshot(page, `axe-${look}-${name}`);
    assert.deepEqual(await serious(page), [], name);
  }
  t.diagnostic(`${Object.keys(states).length} states`);
});
