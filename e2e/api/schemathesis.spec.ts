import { join as path } from 'node:path';

import { ask, ids } from '../support/api';
import { createKey, invite, join, OWNER, signIn } from '../support/people';
import { tool } from '../support/python';
import { expect, startWithOwner, test } from '../support/test';

/** What holds of every answer, whoever asks: it is documented, has the documented shape, and is never ours to blame. */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'ignored_auth',
];
/** How many of each thing there are to change, suspend, revoke and remove. */
const OF_EACH = [1, 2, 3, 4];

test("the API answers as documented with the owner's key", async ({ page }) => {
  test.setTimeout(600_000);
  const program = await startWithOwner();
  try {
    await signIn(page, program.console, OWNER.email, OWNER.password);
    const key = await createKey(page, program.console, 'Explorer', 'highest');
    await explore(program.console, key, key);
  } finally {
    await program.stop();
  }
});

test("the API answers as documented with a member's key", async ({ page, browser }) => {
  test.setTimeout(600_000);
  const program = await startWithOwner();
  try {
    await signIn(page, program.console, OWNER.email, OWNER.password);
    const owners = await createKey(page, program.console, 'Full', 'highest');
    const link = await invite(page, program.console, 'mo@acme.example', 'Member');
    const context = await browser.newContext();
    const member = await context.newPage();
    await join(member, link, 'Mo Adeyemi', 'yet another long password');
    const key = await createKey(member, program.console, 'Explorer', 'highest');
    await context.close();
    await explore(program.console, key, owners);
  } finally {
    await program.stop();
  }
});

/** Asks everything of the API with `key`, in an organization that a key with more power has filled. */
async function explore(origin: string, key: string, higher: string): Promise<void> {
  const env = {
    SCHEMATHESIS_HOOKS: path(import.meta.dirname, 'hooks.py'),
    KNOWN: JSON.stringify(await fill(origin, higher, key)),
    OWN_KEY: await idOf(origin, key),
  };
  const words = [
    'run',
    `${origin}/api/v1/openapi.json`,
    `--header=Authorization: Bearer ${key}`,
    `--checks=${CHECKS.join(',')}`,
    '--max-examples=25',
    '--generation-deterministic',
    '--continue-on-failure',
    '--request-timeout=20',
    '--no-color',
  ];
  const ran = await tool('schemathesis', words, env);
  expect(ran.code, ran.out).toBe(0);
  // Whoever asks is known to the end: a run of nothing but refusals would pass as well.
  await ask(origin, key, 'GET', 'organization');
}

/** Makes some of everything; answers what to put into paths and fields, by their names. */
async function fill(origin: string, key: string, asker: string): Promise<Record<string, unknown[]>> {
  const role = (await ask(origin, key, 'GET', 'roles')).data.filter(({ name }) => name !== 'Owner').map(({ id }) => id);
  for (const number of OF_EACH) {
    const base_url = `http://127.0.0.1:1/v${number}`;
    const provider = (await ask(origin, key, 'POST', 'providers', { name: `Provider ${number}`, base_url })).id;
    await ask(origin, key, 'POST', 'models', { name: `model-${number}`, provider });
    await ask(origin, key, 'POST', 'invites', { email: `${number}@acme.example`, role: role[0] });
    await ask(origin, key, 'POST', 'gateways', { name: `Gateway ${number}` });
    await ask(origin, asker, 'POST', 'keys', { name: `Key ${number}` });
  }
  const [member, invite, model, provider, gateway] = await Promise.all(
    ['members', 'invites', 'models', 'providers', 'gateways'].map((list) => ids(origin, key, list)),
  );
  const known = { member, invite, model, provider, gateway, role, key: await ids(origin, asker, 'keys') };
  return { ...known, seq: OF_EACH, email: ['new@acme.example'], base_url: ['http://127.0.0.1:2/v1'], name: ['new-name'] };
}

async function idOf(origin: string, key: string): Promise<string> {
  const own = (await ask(origin, key, 'GET', 'keys')).data.find(({ begins }) => begins && key.startsWith(begins));
  expect(own, 'the key that asks').toBeTruthy();
  return own!.id;
}
