import { type Browser, type BrowserContext, expect, test as base, type Page } from '@playwright/test';

import { DEMO, EMPTY } from './pages';
import { OWNER, signIn } from './people';
import { init, Program } from './program';
import type { Provider } from './provider';
import { upstream } from './upstream';

interface Own {
  /** A new page of the example organization's owner, who is signed in. */
  owner: Page;
  /** A new page of one of its members, who is signed in. */
  member: Page;
}

interface Shared {
  /** A program with the example organization, shared by the tests of a worker. */
  program: Program;
  /** The owner's browser: signed in once, because signing in is slow on purpose. */
  session: BrowserContext;
  /** The member's browser. */
  memberSession: BrowserContext;
  upstream: Provider;
}

/** A program of one's own with one organization, for a test that may break it. */
export function startWithOwner(): Promise<Program> {
  return Program.start((data) => init(data, OWNER));
}

export const test = base.extend<Own, Shared>({
  program: [
    async ({}, use) => {
      const program = await Program.demo();
      await use(program);
      await program.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  session: [
    async ({ browser, program }, use) => {
      const context = await signedIn(browser, program, DEMO.owner);
      await makeEmpty(await context.newPage(), program.console);
      await use(context);
      await context.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  memberSession: [
    async ({ browser, program }, use) => {
      const context = await signedIn(browser, program, DEMO.member);
      await use(context);
      await context.close();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  upstream: [
    async ({}, use) => {
      const provider = await upstream();
      await use(provider);
      await provider.stop();
    },
    { scope: 'worker' },
  ],
  owner: async ({ session }, use) => {
    const page = await session.newPage();
    await use(page);
    await page.close();
  },
  member: async ({ memberSession }, use) => {
    const page = await memberSession.newPage();
    await use(page);
    await page.close();
  },
});

async function signedIn(browser: Browser, program: Program, email: string): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await signIn(page, program.console, email, DEMO.password);
  await page.close();
  return context;
}

/** Makes an organization with nothing in it. */
async function makeEmpty(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/organizations`);
  await page.getByLabel('Name').fill('Nothing yet');
  await page.getByLabel('Slug').fill(EMPTY);
  await page.getByRole('button', { name: 'Create organization' }).click();
  await expect(page.getByRole('heading', { name: /is ready$/ })).toBeVisible();
  await page.close();
}

export { expect };
