import { expect, type Page } from '@playwright/test';

import type { Owner } from './program';

export const OWNER: Owner = { organization: 'Acme', email: 'ada@acme.example', password: 'correct horse battery' };
export const SLUG = 'acme';

/** The first page of a fresh start: makes the owner and the organization, and answers its master key. */
export async function setUp(page: Page, printed: string): Promise<string> {
  await page.goto(printed);
  await page.getByLabel('Your name').fill('Ada Lindqvist');
  await page.getByLabel('E-mail address').fill(OWNER.email);
  await page.getByLabel('Password').fill(OWNER.password);
  await page.getByLabel('Organization').fill(OWNER.organization);
  await page.getByLabel('Slug').fill(SLUG);
  await page.getByRole('button', { name: 'Create owner and organization' }).click();
  return shown(page, 'Master key');
}

export async function signIn(page: Page, origin: string, email: string, password: string): Promise<void> {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/\/sign-in/);
}

/** Invites someone as the signed-in owner; answers the link that is shown when mail is not configured. */
export async function invite(page: Page, origin: string, email: string, role: string): Promise<string> {
  await page.goto(`${origin}/o/${SLUG}/invites/new`);
  await page.getByLabel('E-mail addresses').fill(email);
  await page.getByLabel('Role').selectOption({ label: role });
  await page.getByRole('button', { name: 'Send invites' }).click();
  return shown(page, `Link for ${email}`);
}

/** Accepts an invite as someone new. */
export async function join(page: Page, link: string, name: string, password: string): Promise<void> {
  await page.goto(link);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: /^Join/ }).click();
  await expect(page.getByRole('navigation', { name: 'Places' })).toBeVisible();
}

/** Creates an API key for oneself, with the usual levels or the highest that one may give; answers its secret. */
export async function createKey(
  page: Page,
  origin: string,
  name: string,
  levels: 'usual' | 'highest' = 'usual',
  slug = SLUG,
): Promise<string> {
  await page.goto(`${origin}/o/${slug}/keys/new`);
  await page.getByLabel('Name').fill(name);
  if (levels === 'highest') {
    for (const feature of await page.getByRole('group', { name: 'What it may do' }).getByRole('group').all()) {
      await feature.getByRole('radio', { disabled: false }).last().check();
    }
  }
  await page.getByRole('button', { name: 'Create key' }).click();
  return shown(page, `Secret of ${name}`);
}

/** What stands in a box that is shown once. */
async function shown(page: Page, label: string): Promise<string> {
  const text = await page.getByLabel(label, { exact: true }).textContent();
  expect(text, label).toBeTruthy();
  return text!.trim();
}
