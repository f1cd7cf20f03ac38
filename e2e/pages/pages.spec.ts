import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { fileName, OPEN_PAGES, PAGES, THEMES, watch } from '../support/pages';
import { expect, test } from '../support/test';

const SIZES = [
  { width: 1280, height: 900 },
  { width: 375, height: 812 },
];

for (const path of OPEN_PAGES) {
  test(`${path} reads well for a stranger`, ({ page, program }) => look(page, program.console, path));
}

for (const path of PAGES) {
  test(`${path} reads well for the owner`, ({ owner, program }) => look(owner, program.console, path));
}

/** Light and dark, wide and narrow: nothing for axe to find, nothing cut off, nothing against the page's own policy. */
async function look(page: Page, origin: string, path: string): Promise<void> {
  const troubles = watch(page, origin);
  await page.goto(origin + path);
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      const file = `results/pages/${fileName(path)}-${size.width}-${colorScheme}.png`;
      await page.screenshot({ path: file, fullPage: true });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect.soft(beyond, `pixels beyond the edge at ${size.width}`).toBeLessThanOrEqual(0);
      const found = (await new AxeBuilder({ page }).analyze()).violations;
      const said = found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
      expect.soft(said, `axe at ${size.width}, ${colorScheme}`).toEqual([]);
    }
  }
  expect(troubles).toEqual([]);
}
