import { invite, join, setUp, SLUG } from '../support/people';
import { Program } from '../support/program';
import { SECRET } from '../support/provider';
import { python } from '../support/python';
import { expect, test } from '../support/test';
import { MODEL, WORDS } from '../support/upstream';

// proves LL-077
test('from a fresh start to a governed call, and to a refused one', async ({ page, browser, upstream }) => {
  test.setTimeout(180_000);
  const program = await Program.start();
  const call = async (key: string) => {
    const env = { OPENAI_BASE_URL: `${program.gateway}/v1`, OPENAI_API_KEY: key, MODEL };
    const ran = await python('openai_client.py', env);
    expect(ran.code, ran.out).toBe(0);
    return JSON.parse(ran.out);
  };
  const open = (part: string) => page.goto(`${program.console}/o/${SLUG}/${part}`);
  try {
    const key = await test.step('set up', () => setUp(page, program.printed));

    await test.step('add a provider and approve its model', async () => {
      await open('providers/new');
      await page.getByLabel('Name').fill('Small talk');
      await page.getByLabel('Base URL').fill(upstream.url);
      await page.getByLabel('Secret').fill(SECRET);
      await page.getByRole('button', { name: 'Add provider' }).click();
      await expect(page.getByText('Small talk').first()).toBeVisible();
      await open('models');
      await page.getByLabel('Name callers use').fill(MODEL);
      await page.getByLabel('Provider', { exact: true }).selectOption({ label: 'Small talk' });
      await page.getByLabel('Name at the provider').fill(MODEL);
      await page.getByRole('button', { name: 'Approve' }).click();
      await expect(page.getByRole('row', { name: new RegExp(MODEL) })).toBeVisible();
    });

    await test.step('call it with the openai package, plain and streaming', async () => {
      // The gateway follows the trail; until the approval has reached it the model is refused.
      await expect(async () => expect((await call(key)).plain).toBe(WORDS.join(''))).toPass({ timeout: 10_000 });
      const answer = await call(key);
      expect(answer.models).toEqual([MODEL]);
      expect(answer.tokens).toBe(11);
      expect(answer.streamed).toBe(WORDS.join(''));
      expect(answer.chunks).toBeGreaterThan(1);
    });

    await test.step("change a member's role in its row", async () => {
      const link = await invite(page, program.console, 'chiara@acme.example', 'Viewer');
      const other = await browser.newContext();
      await join(await other.newPage(), link, 'Chiara Rossi', 'another long password');
      await other.close();
      await open('members');
      const role = page.getByLabel('Role of Chiara Rossi');
      await role.selectOption({ label: 'Member' });
      await expect(page.getByRole('button', { name: 'Undo' })).toBeVisible();
      await page.reload();
      await expect(role.locator('option:checked')).toHaveText('Member');
    });

    await test.step('revoke the key: the next call is refused', async () => {
      await open('keys');
      await page.getByRole('button', { name: /^Acts on/ }).first().click();
      await page.getByRole('button', { name: 'Revoke…' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click();
      await expect(page.getByRole('row', { name: /Master key .* Revoked/ })).toBeVisible();
      await expect(async () => expect((await call(key)).refused?.status).toBe(401)).toPass({ timeout: 10_000 });
    });

    await test.step('all of it is in the trail', async () => {
      await open('trail');
      for (const who of ['Chiara Rossi', 'Small talk', MODEL]) {
        await expect(page.getByRole('table').getByText(who).first()).toBeVisible();
      }
    });
  } finally {
    await program.stop();
  }
});
