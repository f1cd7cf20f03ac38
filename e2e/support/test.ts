import { type BrowserContext, test as base, type Page } from '@playwright/test';

import { OWNER, signIn } from './people';
import { init, Program } from './program';
import { Upstream } from './upstream';

interface Own {
  /** A new page of the owner, who is signed in. */
  owner: Page;
}

interface Shared {
  /** A program with one organization and its owner, shared by the tests of a worker. */
  program: Program;
  /** The owner's browser: signed in once, because signing in is slow on purpose. */
  session: BrowserContext;
  upstream: Upstream;
}

/** A program of one's own with one organization, for a test that may break it. */
export async function startWithOwner(): Promise<{ program: Program; masterKey: string }> {
  let masterKey = '';
  const program = await Program.start(async (data) => {
    masterKey = (await init(data, OWNER)).master_key;
  });
  return { program, masterKey };
}

export const test = base.extend<Own, Shared>({
  program: [
    async ({}, use) => {
      const { program } = await startWithOwner();
      await use(program);
      await program.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  session: [
    async ({ browser, program }, use) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      await signIn(page, program.console, OWNER.email, OWNER.password);
      await page.close();
      await use(context);
      await context.close();
    },
    { scope: 'worker' },
  ],
  upstream: [
    async ({}, use) => {
      const upstream = await Upstream.start();
      await use(upstream);
      await upstream.stop();
    },
    { scope: 'worker' },
  ],
  owner: async ({ session }, use) => {
    const page = await session.newPage();
    await use(page);
    await page.close();
  },
});

export { expect } from '@playwright/test';
