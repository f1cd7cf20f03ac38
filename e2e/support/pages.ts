import type { Page } from '@playwright/test';

import { SLUG } from './people';

/** Every page that an owner can open without knowing an id. */
export const PAGES = [
  '/organizations',
  '/account',
  `/o/${SLUG}`,
  ...['members', 'invites', 'providers', 'models', 'keys', 'trail', 'settings'].map((part) => `/o/${SLUG}/${part}`),
  ...['invites', 'providers', 'keys'].map((part) => `/o/${SLUG}/${part}/new`),
  `/o/${SLUG}/nothing-here`,
  '/ui',
  '/api/docs',
];

/** Pages that a stranger can open. */
export const OPEN_PAGES = ['/sign-in', '/invites/no-such-invite', '/nothing-here'];

export const THEMES = ['light', 'dark'] as const;

export const fileName = (path: string) => path.replaceAll('/', '_').replace(/^_/, '') || 'home';

/** Collects what a page must never do: break its own policy, fail, or call another host. */
export function watch(page: Page, origin: string): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) troubles.push(`${page.url()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`${page.url()}: ${error.message}`));
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) troubles.push(`${page.url()} called ${url.origin}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) troubles.push(`${response.url()} answered ${response.status()}`);
  });
  return troubles;
}
