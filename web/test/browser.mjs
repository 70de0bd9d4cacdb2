import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const screenshots = process.env.SCREENSHOTS ?? join(tmpdir(), 'caregraph-screenshots');

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', // for root, as in containers
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Opens the page in a new profile. `trouble` collects everything that must not happen. */
export async function visit(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const trouble = [];
  context.on('request', request => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith('http') && origin !== base) {
      trouble.push(`request to another host: ${request.url()}`);
    }
  });
  context.on('console', message => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy')) {
      trouble.push(`console: ${message.text()}`);
    }
  });
  context.on('weberror', error => trouble.push(`script: ${error.error().stack}`));
  await context.exposeFunction('reportViolation', text => trouble.push(`CSP: ${text}`));
  await context.addInitScript(() =>
    addEventListener('securitypolicyviolation', event =>
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`),
    ),
  );
  const page = await context.newPage();
  await page.goto(`${base}/`);
  return { page, trouble, close: () => context.close() };
}

export async function screenshot(page, name) {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}
