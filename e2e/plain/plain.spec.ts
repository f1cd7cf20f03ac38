import { OWNER, signIn, SLUG } from '../support/people';
import { expect, startWithOwner, test } from '../support/test';

test('a program built without npm says so, and the console works without any script', async ({ page }) => {
  const program = await startWithOwner();
  try {
    await expect.poll(() => program.log.join('\n')).toContain('built without htmx and icons');
    await signIn(page, program.console, OWNER.email, OWNER.password);
    await page.goto(`${program.console}/o/${SLUG}/settings`);
    await expect(page.locator('script[src*="htmx"]')).toHaveCount(0);
    await page.getByLabel('Name').fill('Acme Research');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.goto(`${program.console}/o/${SLUG}/settings`);
    await expect(page.getByLabel('Name')).toHaveValue('Acme Research');
  } finally {
    await program.stop();
  }
});
