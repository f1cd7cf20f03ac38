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

test("the API answers as documented with the owner's key", async () => {
  test.setTimeout(600_000);
  const { program, masterKey } = await startWithOwner();
  try {
    await explore(program.console, masterKey);
  } finally {
    await program.stop();
  }
});

test("the API answers as documented with a member's key", async ({ page, browser }) => {
  test.setTimeout(600_000);
  const { program } = await startWithOwner();
  try {
    await signIn(page, program.console, OWNER.email, OWNER.password);
    const link = await invite(page, program.console, 'mo@acme.example', 'Member');
    const context = await browser.newContext();
    const member = await context.newPage();
    await join(member, link, 'Mo Adeyemi', 'yet another long password');
    const key = await createKey(member, program.console, 'Explorer');
    await context.close();
    await explore(program.console, key);
  } finally {
    await program.stop();
  }
});

async function explore(origin: string, key: string): Promise<void> {
  const ran = await tool('schemathesis', [
    'run',
    `${origin}/api/v1/openapi.json`,
    `--header=Authorization: Bearer ${key}`,
    `--checks=${CHECKS.join(',')}`,
    '--max-examples=25',
    '--generation-deterministic',
    '--continue-on-failure',
    '--request-timeout=20',
    '--no-color',
  ]);
  expect(ran.code, ran.out).toBe(0);
}
