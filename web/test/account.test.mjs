// The page behind the links of mails, in a real browser. The mails are files.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, visit } from './browser.mjs';
import { startServer } from './server.mjs';

const EMAIL = 'asha@clinic.example', OLD = 'Secure@123', NEW = 'Another@4567';

let server, browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

async function ask(query, variables) {
  const response = await fetch(`${server.base}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()).data;
}

/** The link of the newest mail of a kind, once the mail is there. */
async function link(kind) {
  for (;;) {
    const names = await readdir(join(server.data, 'mail')).catch(() => []);
    const newest = names.filter(name => name.endsWith(`-${kind}.eml`)).sort().at(-1);
    if (newest) {
      return /\/account\/#\S+/.exec(await readFile(join(server.data, 'mail', newest), 'utf8'))[0];
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

const login = password => ask(`mutation ($email: EmailAddress!, $password: String!) {
  login(input: {email: $email, password: $password}) { user { isConfirmed } } }`, { email: EMAIL, password });

test('the links confirm the address and set a new password', async t => {
  await ask(`mutation ($input: RegisterInput!) { register(input: $input) { userErrors { code } } }`,
    { input: { username: 'asha', email: EMAIL, password: OLD, role: 'PATIENT' } });
  const { page, trouble, close } = await visit(browser, server.base);
  t.after(async () => {
    await close();
    assert.deepEqual(trouble, []);
  });
  await page.goto(`${server.base}${await link('confirm_email')}`);
  assert.ok(!page.url().includes('confirm='), page.url());
  await page.fill('#confirm input', 'Wrong@4567');
  await page.click('#confirm button');
  await page.waitForSelector('#said.fault');
  await page.fill('#confirm input', OLD);
  await page.click('#confirm button');
  await page.waitForFunction(() => document.querySelector('#said').textContent.includes('is confirmed'));
  assert.equal((await login(OLD)).login.user.isConfirmed, true);

  await ask('mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { userErrors { code } } }', { email: EMAIL });
  await page.goto(`${server.base}${await link('reset_password')}`);
  await page.fill('#reset input[name=newPassword]', NEW);
  await page.click('#reset button');
  await page.waitForFunction(() => document.querySelector('#said').textContent.includes('is set'));
  assert.equal((await login(OLD)).login.user, null);
  assert.notEqual((await login(NEW)).login.user, null);
});
