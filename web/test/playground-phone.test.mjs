// The page on a phone: three panels, of which one fills the screen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenshot, visit } from './browser.mjs';
import { phone, playground } from './on-page.mjs';
import { editor, execute, openAccounts, panel, ready, runTourUpTo, shown, showPanel, write } from './playground-page.mjs';

const { shared, onPage } = playground();

const MOST_BYTES = 900_000;
const SMALLEST_TARGET = 44;

test('at most 900 KB arrive before the editor can be used', async t => {
  const { page, trouble, close } = await visit(shared.browser, shared.server.base, phone);
  await showPanel(page, 'Ask');
  await editor(page).click();
  await page.keyboard.type('#');
  await ready(page);
  const files = await page.evaluate(() =>
    performance.getEntries().filter(entry => 'encodedBodySize' in entry).map(({ name, encodedBodySize }) => [new URL(name).pathname, encodedBodySize]),
  );
  const bytes = files.reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`${bytes} bytes: ${files.map(file => file.join(' ')).join(', ')}`);
  await close();
  assert.ok(files.length >= 4, 'the page, its script, its style and the schema');
  assert.ok(bytes > 100_000 && bytes <= MOST_BYTES, `${bytes} bytes`);
  assert.deepEqual(trouble, []);
});

/** The names of what is too small to tap, or is partly off the screen. */
const misses = page =>
  page.evaluate(smallest => {
    const all = [...document.querySelectorAll('a, button, input, select, summary')];
    return all
      .filter(target => target.checkVisibility())
      .map(target => ({ name: target.ariaLabel || target.textContent || target.tagName, box: target.getBoundingClientRect() }))
      .filter(({ box }) => box.width < smallest - 0.5 || box.height < smallest - 0.5)
      .map(({ name, box }) => `${name}: ${Math.round(box.width)} x ${Math.round(box.height)}`);
  }, SMALLEST_TARGET);

const widthOf = page => page.evaluate(() => [document.scrollingElement.scrollWidth, document.querySelector('#playground').scrollWidth]);

onPage(
  'three panels work at 360 px without a sideways scroll, and everything can be tapped',
  async page => {
    const states = {
      'phone-first-load': () => {},
      'phone-ask': () => runTourUpTo(page, 'PatientGraph').then(() => showPanel(page, 'Ask')),
      'phone-answer': () => showPanel(page, 'Answer'),
      'phone-chip': () => page.getByRole('button', { name: /^hidden: / }).tap(),
      'phone-raw': async () => {
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Raw JSON' }).tap();
      },
      'phone-docs': () => showPanel(page, 'Docs'),
      'phone-docs-type': () => panel(page, 'Docs').getByRole('button', { name: 'Patient', exact: true }).tap(),
      'phone-accounts': () => openAccounts(page),
      'phone-help': () => page.getByRole('button', { name: 'Help and settings' }).tap(),
    };
    for (const [name, reach] of Object.entries(states)) {
      await reach();
      await screenshot(page, name);
      assert.deepEqual(await widthOf(page), [360, 360], name);
      assert.deepEqual(await misses(page), [], name);
    }
  },
  phone,
);

onPage(
  'one panel is shown at a time: Run shows the answer, and the line at the bottom stays',
  async page => {
    const panels = ['Question', 'Answer', 'Docs'];
    const visible = async () => {
      const all = await Promise.all(panels.map(name => panel(page, name).isVisible()));
      return panels.filter((_, index) => all[index]);
    };
    assert.deepEqual(await visible(), ['Answer']);
    await write(page, '{ nosuch }');
    assert.deepEqual(await visible(), ['Question']);
    await execute(page);
    await shown(page);
    assert.deepEqual(await visible(), ['Answer']);
    for (const name of ['Ask', 'Answer', 'Docs']) {
      await showPanel(page, name);
      const line = page.getByRole('status').getByText(/The schema does not allow this/);
      const { y, height } = await line.boundingBox();
      assert.ok(y > 740 / 2 && y + height <= 740, `${name}: ${y} + ${height}`);
    }
    assert.deepEqual(await visible(), ['Docs']);
  },
  phone,
);

for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
  onPage(
    `the answer area is at least 40 % of the first screen at ${viewport.width} px`,
    async (page, t) => {
      const { width, height } = await panel(page, 'Answer').boundingBox();
      const share = (width * height) / (viewport.width * viewport.height);
      t.diagnostic(`${Math.round(share * 100)} %`);
      assert.ok(share >= 0.4, `${share}`);
    },
    { ...(viewport.width < 700 && phone), viewport },
  );
}
