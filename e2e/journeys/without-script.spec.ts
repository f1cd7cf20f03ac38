import { createKey, invite, join, OWNER, signIn, SLUG } from '../support/people';
import { expect, startWithOwner, test } from '../support/test';

test.use({ javaScriptEnabled: false });

test('the console is complete without JavaScript', async ({ page, browser }) => {
  const program = await startWithOwner();
  const open = (part: string) => page.goto(`${program.console}/o/${SLUG}/${part}`);
  try {
    await signIn(page, program.console, OWNER.email, OWNER.password);

    await test.step('invite someone, who joins', async () => {
      const link = await invite(page, program.console, 'chiara@acme.example', 'Viewer');
      const context = await browser.newContext({ javaScriptEnabled: false });
      await join(await context.newPage(), link, 'Chiara Rossi', 'another long password');
      await context.close();
    });

    await test.step("change her role with the row's button, and change it back", async () => {
      await open('members');
      const row = page.getByRole('row', { name: /Chiara Rossi/ });
      const role = row.getByLabel('Role of Chiara Rossi').locator('option:checked');
      await row.getByLabel('Role of Chiara Rossi').selectOption({ label: 'Member' });
      await row.getByRole('button', { name: 'Save' }).click();
      await expect(role).toHaveText('Member');
      await page.getByRole('button', { name: 'Undo' }).click();
      await expect(role).toHaveText('Viewer');
    });

    await test.step('create a key, find it and revoke it', async () => {
      await createKey(page, program.console, 'Support bot');
      await open('keys');
      await page.getByLabel('Search', { exact: true }).fill('Support');
      await page.getByRole('button', { name: 'Show' }).click();
      await expect(page.getByRole('row', { name: /Master key/ })).toBeHidden();
      await page.getByRole('button', { name: 'Acts on Support bot' }).click();
      await page.getByRole('button', { name: 'Revoke…' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
      await open('keys');
      await expect(page.getByRole('row', { name: /Support bot .* Revoked/ })).toBeVisible();
    });

    await test.step('read the trail, and an entry of it', async () => {
      await open('trail');
      const changed = page.getByRole('row', { name: /Chiara Rossi/ }).filter({ hasText: /role/i }).first();
      await changed.getByRole('link', { name: /^Entry/ }).click();
      await expect(page.getByRole('heading', { name: /^Entry/ })).toBeVisible();
      await expect(page.locator('.diff ins', { hasText: 'Viewer' })).toBeVisible();
    });

    await test.step('sign out', async () => {
      await page.getByRole('button', { name: 'Account, theme, sign out' }).click();
      await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await open('members');
      await expect(page).toHaveURL(/\/sign-in/);
    });
  } finally {
    await program.stop();
  }
});
