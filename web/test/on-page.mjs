// Tests of the playground share one server and one browser per file.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, visit } from './browser.mjs';
import { ready } from './playground-page.mjs';
import { startServer } from './server.mjs';

export const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** Starts a server and a browser for the file, and returns how to declare a test on a new visit. */
export function playground(prepare = () => {}, ...flags) {
  const shared = {};
  before(async () => {
    shared.server = await startServer(...flags);
    await prepare(shared.server);
    shared.browser = await launch();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.server?.stop();
  });

  /** A test on a new visit. It fails if the page calls another host or violates its policy. */
  function onPage(name, body, options) {
    test(name, async t => {
      const { page, trouble, close } = await visit(shared.browser, shared.server.base, options);
      await ready(page);
      await body(page, t);
      await close();
      // The browser logs each answer that the server refuses with a status; the tests expect those.
      assert.deepEqual(trouble.filter(text => !/the server responded with a status of 4\d\d/.test(text)), []);
    });
  }
  /** A test on a new visit in each look: light and dark, wide and on a phone. */
  function onEachLook(name, body) {
    for (const colorScheme of ['light', 'dark']) {
      for (const [size, options] of Object.entries({ wide: {}, phone })) {
        onPage(`${name}: ${colorScheme}, ${size}`, (page, t) => body(page, `${size}-${colorScheme}`, t), { colorScheme, ...options });
      }
    }
  }
  return { shared, onPage, onEachLook };
}
