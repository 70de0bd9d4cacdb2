// The list of REST addresses that the server shows if Swagger UI was not built.
// CAREGRAPH_PLAIN_BIN is a server binary that was built with an empty dist.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overflow } from './access.mjs';
import { launch, visit } from './browser.mjs';

test('every address is listed, and the older addresses lead here', async t => {
  const binary = process.env.CAREGRAPH_PLAIN_BIN;
  assert.ok(binary, 'CAREGRAPH_PLAIN_BIN must name a server binary that was built with an empty web/dist');
  process.env.CAREGRAPH_BIN = binary; // read when server.mjs is loaded; every test file has its own process
  const { startServer } = await import('./server.mjs');
  const server = await startServer();
  t.after(() => server.stop());
  const browser = await launch();
  t.after(() => browser.close());
  const { page, trouble } = await visit(browser, server.base);
  const { paths } = await (await fetch(`${server.base}/openapi.json`)).json();
  for (const older of ['/swagger/', '/redoc/']) {
    await page.goto(server.base + older);
    await page.waitForSelector('tbody tr');
    assert.equal(page.url(), `${server.base}/docs/`);
    const calls = Object.values(paths).flatMap(Object.keys).length;
    assert.equal(await page.locator('tbody tr').count(), calls);
  }
  await page.setViewportSize({ width: 360, height: 740 });
  assert.equal(await overflow(page), 0);
  assert.deepEqual(trouble, []);
});
