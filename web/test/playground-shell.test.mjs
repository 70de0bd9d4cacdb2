// The page around question and answer: accounts, tabs, dialogs and sizes.

import assert from 'node:assert/strict';
import { screenshot } from './browser.mjs';
import { phone, playground } from './on-page.mjs';
import {
  activeAsker,
  ask,
  asker,
  chooseAsker,
  editor,
  execute,
  openAccounts,
  openTab,
  panel,
  runExample,
  runTourUpTo,
  shown,
  textOf,
  write,
} from './playground-page.mjs';

const { onPage } = playground();

const help = page => page.getByRole('dialog', { name: 'Help and settings' });

onPage('an account chosen by hand stays chosen when a tab opens', async page => {
  await runTourUpTo(page, 'CreateDoctor');
  await openTab(page, 'CreatePatient');
  assert.match(await activeAsker(page), /^asha_/, 'without a choice the tab has its account');
  await chooseAsker(page, /^doctor_/);
  await openTab(page, 'AssignDoctor');
  assert.match(await activeAsker(page), /^doctor_/);
  await chooseAsker(page, 'nobody');
  await openTab(page, 'PatientGraph');
  assert.equal(await activeAsker(page), 'nobody');
  await panel(page, 'Question').getByRole('button', { name: /^Ask as asha_/ }).click();
  assert.match(await activeAsker(page), /^asha_/, 'the step says which account it is meant for');
});

onPage('a new stranger stays chosen when a tab opens', async page => {
  await runTourUpTo(page, 'CreatePatient');
  await page.getByRole('button', { name: '+ stranger' }).click();
  await asker(page, /^stranger_/).waitFor();
  await openTab(page, 'PatientGraph');
  assert.match(await activeAsker(page), /^stranger_/);
});

onPage('an answer is marked when it belongs to another account than the chosen one', async page => {
  await runTourUpTo(page, 'CreatePatient');
  const mark = panel(page, 'Answer').getByRole('note');
  assert.equal(await mark.count(), 0);
  await chooseAsker(page, 'nobody');
  assert.match(await mark.innerText(), /This answer belongs to asha_\w+\. You now ask as nobody\./);
  await screenshot(page, 'marked-answer');
  assert.equal(await mark.getByRole('button').count(), 0, 'a mutation is never sent again');
  await chooseAsker(page, /^asha_/);
  assert.equal(await mark.count(), 0);
});

onPage('a dialog has a visible close button, and no key is cut', async page => {
  await page.getByRole('button', { name: 'Help and settings' }).click();
  await screenshot(page, 'help');
  const close = help(page).getByRole('button', { name: 'Close' });
  const icon = await close.locator('svg path').boundingBox();
  assert.ok(icon.width >= 6 && icon.height >= 6);
  const [ink, paper] = await close.evaluate(button => [
    getComputedStyle(button.querySelector('svg')).stroke,
    getComputedStyle(button.closest('dialog')).backgroundColor,
  ]);
  assert.notEqual(ink, paper);
  await keysAreWhole(page);
  await close.click();
  assert.equal(await help(page).count(), 0);
});

onPage(
  'no key is cut on a phone',
  async page => {
    await page.getByRole('button', { name: 'Help and settings' }).click();
    await keysAreWhole(page);
  },
  phone,
);

/** Fails if a key of the help is cut, by its own box, the dialog or the screen. */
async function keysAreWhole(page) {
  const cut = await help(page).locator('kbd').evaluateAll(keys =>
    keys.filter(key => {
      const { left, right } = key.getBoundingClientRect();
      const dialog = key.closest('dialog');
      return key.scrollWidth > key.offsetWidth || left < 0 || right > innerWidth || dialog.scrollWidth > dialog.clientWidth;
    }).map(key => key.textContent),
  );
  assert.deepEqual(cut, []);
  assert.ok((await help(page).locator('kbd').count()) > 8);
}

onPage(
  'the account row shows that it scrolls',
  async page => {
    const more = page.getByRole('button', { name: 'More accounts' });
    const row = page.locator('.askers .list');
    assert.equal(await more.count(), 0);
    for (let number = 1; number <= 4; number++) {
      await page.getByRole('button', { name: '+ stranger' }).click();
      await page.waitForFunction(count => document.querySelectorAll('.asker').length === count, number + 2);
    }
    await chooseAsker(page, 'nobody');
    await more.waitFor();
    await screenshot(page, 'account-row');
    assert.notEqual(await row.evaluate(list => getComputedStyle(list).maskImage), 'none');
    while (await more.count()) {
      await more.click({ timeout: 1000 }).catch(() => {}); // it goes away at the end of the row
    }
    await page.getByRole('button', { name: 'Earlier accounts' }).waitFor();
  },
  { viewport: { width: 820, height: 700 } },
);

onPage('a new tab helps', async page => {
  await runExample(page, 'Register');
  await page.getByRole('button', { name: 'New question' }).click();
  assert.match(await editor(page).innerText(), /# A new question\. Ctrl-Space lists what you can ask/);
  await screenshot(page, 'new-tab');
  await ask(page);
  assert.match(await panel(page, 'Answer').innerText(), /username\s+asha_/);
  await page.getByRole('button', { name: 'New question' }).click();
  await panel(page, 'Answer').getByRole('button', { name: 'My patients and their doctors' }).click();
  await shown(page);
  assert.match(await editor(page).innerText(), /query MyPatients/);
  assert.match(await panel(page, 'Answer').innerText(), /totalCount\s+0/);
});

onPage('tabs close, and the last one is replaced by a new question', async page => {
  await openTab(page, 'SearchPatients');
  await page.getByRole('button', { name: 'Close Search, page by page' }).click();
  await page.getByRole('button', { name: 'Close Open an account' }).click();
  assert.match(await editor(page).innerText(), /# A new question/);
});

onPage('a question stays in the history after its tab, without texts and variables, until one signs out', async page => {
  const history = page.getByRole('button', { name: 'History' });
  const list = page.getByRole('group', { name: 'History' });
  const kept = () => page.evaluate(() => localStorage['caregraph.playground.history']);
  await runTourUpTo(page, 'CreatePatient');
  assert.equal(await kept(), undefined, 'the examples have a list of their own');
  const query = '# Arjun\nquery Find($after: String) { patients(search: "Arjun Mehta", first: 3, after: $after) { totalCount } }';
  await write(page, query, '{"after": null}');
  await ask(page);
  await write(page, '{ me { username } }');
  await ask(page);
  assert.doesNotMatch(await kept(), /Arjun|Mehta|pat_|usr_|asha|eyJ|null/);
  await page.reload();
  await page.locator('main[data-schema=loaded]').waitFor();
  await history.click();
  await screenshot(page, 'history');
  assert.deepEqual(await list.getByRole('button').allInnerTexts(), ['{ me { username } }', 'Find', 'Forget all']);
  await list.getByRole('button', { name: 'Find' }).click();
  assert.match(await editor(page).innerText(), /^query Find\(\$after: String\) \{\n {2}patients\(search: "", first: 3, after: \$after\)/);
  await openAccounts(page);
  await panel(page, 'Accounts').getByRole('button', { name: 'Sign out' }).click();
  await page.waitForFunction(() => localStorage['caregraph.playground.history'] === '[]');
  await history.click();
  await list.getByText('The questions that you write and run appear here.').waitFor();
});

onPage('after a resize the panels fill the screen', async page => {
  for (const [width, height] of [[1280, 800], [900, 1100], [1600, 620], [500, 900], [1280, 800]]) {
    await page.setViewportSize({ width, height });
    const gaps = await page.evaluate(() => {
      const end = [...document.querySelectorAll('main > *')].filter(part => part.checkVisibility()).map(part => part.getBoundingClientRect().bottom);
      const page = document.scrollingElement;
      return { below: innerHeight - Math.max(...end), scrolls: page.scrollHeight - innerHeight, wide: page.scrollWidth - innerWidth };
    });
    assert.ok(gaps.below >= 0 && gaps.below <= 10, `${width}x${height}: ${JSON.stringify(gaps)}`);
    assert.deepEqual([gaps.scrolls, gaps.wide], [0, 0], `${width}x${height}`);
  }
});

onPage('a document with several operations runs the chosen one', async page => {
  await runExample(page, 'Register');
  await editor(page).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText('query First { me { id } }\nquery Second { me { role } }');
  await page.getByLabel('Operation to run').selectOption('Second');
  await ask(page);
  assert.match(await panel(page, 'Answer').innerText(), /role\s+PATIENT/);
});

onPage('a request can be stopped', async page => {
  await page.route('**/graphql', () => {}); // no answer comes
  await execute(page);
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('status').getByText(/You stopped the request/).waitFor();
});

onPage('the keyboard alone asks, reads the answer and moves the border', async page => {
  await openTab(page, 'Register');
  await editor(page).focus();
  await page.keyboard.press('ControlOrMeta+Enter');
  await shown(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  const names = [];
  for (let presses = 0; presses < 12 && !names.includes('Width of the question'); presses++) {
    const { name, outline } = await page.evaluate(() => {
      const focused = document.activeElement.shadowRoot?.activeElement ?? document.activeElement;
      return { name: focused.ariaLabel ?? focused.textContent, outline: getComputedStyle(focused).outlineStyle };
    });
    names.push(name);
    assert.ok(outline !== 'none' || name === 'Variables', `the focus is visible at ${name}`);
    await page.keyboard.press('Tab');
  }
  assert.ok(names.includes('Variables'), names.join());
  const border = page.getByRole('separator', { name: 'Width of the question' });
  const before = await border.getAttribute('aria-valuenow');
  await border.focus();
  await page.keyboard.press('ArrowLeft');
  assert.notEqual(await border.getAttribute('aria-valuenow'), before);
  await page.keyboard.press('ControlOrMeta+k');
  await page.keyboard.type('medicalHistory');
  await panel(page, 'Docs').getByRole('button', { name: 'Patient.medicalHistory', exact: true }).focus();
  await page.keyboard.press('Enter');
  await panel(page, 'Docs').getByText('Seen by CLINICAL').waitFor();
  await page.keyboard.press('Alt+n');
  assert.match(await textOf(page, 'Question'), /# A new question/);
});
