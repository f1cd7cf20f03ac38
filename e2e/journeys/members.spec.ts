import type { Page } from '@playwright/test';

import { invite, join, OWNER, signIn, SLUG } from '../support/people';
import { expect, startWithOwner, test } from '../support/test';

test('a role is changed in its row, taken back, and never over what someone else chose', async ({ page, browser }) => {
  const program = await startWithOwner();
  const open = (tab: Page) => tab.goto(`${program.console}/o/${SLUG}/members`);
  const chosen = (tab: Page) => tab.getByLabel('Role of Chiara Rossi').locator('option:checked');
  const choose = (tab: Page, role: string) => tab.getByLabel('Role of Chiara Rossi').selectOption({ label: role });
  try {
    await signIn(page, program.console, OWNER.email, OWNER.password);
    const link = await invite(page, program.console, 'chiara@acme.example', 'Viewer');
    const hers = await browser.newContext();
    await join(await hers.newPage(), link, 'Chiara Rossi', 'another long password');
    await hers.close();

    await test.step('saved at once, and undone from the toast', async () => {
      await open(page);
      await choose(page, 'Member');
      await expect(page.getByText('Chiara Rossi is now Member.')).toBeVisible();
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect(chosen(page)).toHaveText('Viewer');
      await open(page);
      await expect(chosen(page)).toHaveText('Viewer');
    });

    await test.step('a tab that is behind shows what is true, and saves nothing', async () => {
      const behind = await page.context().newPage();
      await open(behind);
      await choose(page, 'Member');
      await expect(page.getByText('Chiara Rossi is now Member.')).toBeVisible();
      await choose(behind, 'Admin');
      await expect(behind.getByText(/changed this in the meantime/)).toBeVisible();
      await expect(chosen(behind)).toHaveText('Member');
      await open(behind);
      await expect(chosen(behind)).toHaveText('Member');
    });
  } finally {
    await program.stop();
  }
});

test('the keyboard goes anywhere', async ({ owner, program }) => {
  await owner.goto(`${program.console}/o/northwind`);
  await owner.keyboard.press('Control+k');
  await owner.keyboard.type('trail');
  await owner.keyboard.press('Enter');
  await expect(owner).toHaveURL(/\/trail$/);
});
