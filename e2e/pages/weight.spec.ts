import type { Page } from '@playwright/test';

import { DEMO } from '../support/pages';
import { expect, test } from '../support/test';

/** Bytes over the wire: the first page brings everything with it, a later one only itself. */
const FIRST = 60_000;
const LATER = 15_000;

test('pages are light', async ({ page, owner, program }) => {
  expect(await weight(page, `${program.console}/sign-in`), 'the first page').toBeLessThanOrEqual(FIRST);
  await owner.goto(`${program.console}/o/${DEMO.slug}`, { waitUntil: 'networkidle' });
  for (const part of ['members', 'models', 'providers', 'keys', 'keys/new', 'trail', 'settings']) {
    const url = `${program.console}/o/${DEMO.slug}/${part}`;
    expect.soft(await weight(owner, url), part).toBeLessThanOrEqual(LATER);
  }
});

async function weight(page: Page, url: string): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  let bytes = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await devtools.send('Network.enable');
  await page.goto(url, { waitUntil: 'networkidle' });
  await devtools.detach();
  return bytes;
}
