import type { Page } from '@playwright/test';

/** The example organization, and two of its people. */
export const DEMO = {
  slug: 'northwind',
  owner: 'ada@northwind.example',
  member: 'elif@northwind.example',
  password: 'open the demo door',
};
/** The slug of an organization in which there is nothing yet. */
export const EMPTY = 'nothing-yet';

const inside = (slug: string, parts: string[]) => parts.map((part) => `/o/${slug}${part}`);
const PARTS = ['', '/members', '/invites', '/providers', '/models', '/gateways', '/keys', '/trail', '/settings'];
const FORMS = ['/invites/new', '/providers/new', '/keys/new'];

/** Pages that a stranger can open. */
export const OPEN_PAGES = ['/sign-in', '/invites/no-such-invite', '/nothing-here'];

/** Every page that an owner can open without knowing an id, and the empty ones. */
export const OWNERS_PAGES = [
  '/organizations',
  '/account',
  '/ui',
  '/api/docs',
  ...inside(DEMO.slug, [...PARTS, ...FORMS, '/nothing-here', '/trail/1']),
  ...inside(DEMO.slug, ['/members?q=nobody', '/keys?q=nothing', '/trail?q=nothing']),
  ...inside(EMPTY, ['', '/invites', '/providers', '/models', '/gateways']),
];

/** The same as a member: pages that show less, and those that are not theirs. */
export const MEMBERS_PAGES = inside(DEMO.slug, [...PARTS, ...FORMS]);

export const THEMES = ['light', 'dark'] as const;

export const fileName = (path: string) => path.replace(/^\//, '').replaceAll(/[^\w-]+/g, '_') || 'home';

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
