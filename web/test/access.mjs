// What everyone must be able to use: the checks of axe-core, and what fits a phone.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds in the page or in a part of it: "rule: element" for each element. */
export async function violations(page, selector = 'body') {
  await page.evaluate(axe); // not as a script element, which the page's policy forbids
  const found = await page.evaluate(within => window.axe.run(within).then(result => result.violations), selector);
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary.replace(/\s+/g, ' ')}`));
}

/** What axe-core finds in the page that is serious or critical. */
export async function serious(page) {
  await page.evaluate(axe);
  // Without selectors: to find one takes so long that the page may have drawn the element again.
  const { violations: found } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'], selectors: false }));
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id} at ${html}: ${failureSummary}`));
}

/** The pixels by which the page is wider than its window. */
export const overflow = page => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** The controls below a selector that are too small for a finger. */
export function smallTargets(page, selector = 'body') {
  return page.evaluate(within => {
    const controls = document.querySelector(within).querySelectorAll('a[href], button, input, select, summary, label:has(input)');
    return [...controls]
      .filter(control => control.checkVisibility() && !control.closest('p, dd, label label') && !control.matches('label input'))
      .map(control => ({ control, box: control.getBoundingClientRect() }))
      .filter(({ box }) => box.height > 1 && (box.height < 43.5 || box.width < 43.5))
      .map(({ control, box }) => `${control.tagName} ${control.textContent.trim() || control.name} ${Math.round(box.width)}x${Math.round(box.height)}`);
  }, selector);
}
