import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { DEMO, fileName, MEMBERS_PAGES, OPEN_PAGES, OWNERS_PAGES, THEMES, watch } from '../support/pages';
import { createKey } from '../support/people';
import { expect, test } from '../support/test';

const SIZES = [
  { width: 1280, height: 900 },
  { width: 375, height: 812 },
];

for (const path of OPEN_PAGES) {
  test(`${path} reads well for a stranger`, ({ page, program }) => look(page, program.console, path));
}

for (const path of OWNERS_PAGES) {
  test(`${path} reads well for the owner`, ({ owner, program }) => look(owner, program.console, path));
}

for (const path of MEMBERS_PAGES) {
  test(`${path} reads well for a member`, ({ member, program }) =>
    look(member, program.console, path, `member_${fileName(path)}`));
}

test("a provider's page reads well", async ({ owner, program }) => {
  await owner.goto(`${program.console}/o/${DEMO.slug}/providers`);
  const link = owner.getByRole('table').getByRole('link').first();
  await look(owner, program.console, (await link.getAttribute('href'))!, 'provider');
});

test("a new key's page reads well", async ({ owner, program }) => {
  const troubles = watch(owner, program.console);
  await createKey(owner, program.console, 'Support bot', 'usual', DEMO.slug);
  await judge(owner, 'key_secret');
  expect(troubles).toEqual([]);
});

test("a new gateway's page reads well, and so does its row", async ({ owner, program }) => {
  const troubles = watch(owner, program.console);
  await owner.goto(`${program.console}/o/${DEMO.slug}/gateways`);
  await owner.getByLabel('Name').fill('Frankfurt');
  await owner.getByRole('button', { name: 'Add gateway' }).click();
  await judge(owner, 'gateway_token');
  await look(owner, program.console, `/o/${DEMO.slug}/gateways`, 'gateways_waiting');
  expect(troubles).toEqual([]);
});

/** Opens a page and judges it; it must not break its own policy, fail, or call another host. */
async function look(page: Page, origin: string, path: string, name = fileName(path)): Promise<void> {
  const troubles = watch(page, origin);
  await page.goto(origin + path);
  await judge(page, name);
  expect(troubles).toEqual([]);
}

/** Light and dark, wide and narrow: nothing for axe to find, nothing cut off. */
async function judge(page: Page, name: string): Promise<void> {
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const file = `results/pages/${name}-${size.width}-${colorScheme}.png`;
      await page.screenshot({ path: file, fullPage: true });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect.soft(beyond, `pixels beyond the edge at ${size.width}`).toBeLessThanOrEqual(0);
      const found = (await new AxeBuilder({ page }).analyze()).violations;
      const said = found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      expect.soft(said, `axe at ${size.width}, ${colorScheme}`).toEqual([]);
    }
  }
}
