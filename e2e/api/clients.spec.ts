import { ask } from '../support/api';
import { OWNER } from '../support/people';
import { init, Program } from '../support/program';
import { type Provider, SECRET } from '../support/provider';
import { python } from '../support/python';
import { MODELS, scripted } from '../support/scripted';
import { expect, test } from '../support/test';

let [program, provider]: [Program, Provider] = [undefined!, undefined!];
let key: string;

test.beforeAll(async () => {
  provider = await scripted();
  program = await Program.start(async (data) => {
    key = await init(data, OWNER);
  });
  for (const [dialect, models] of Object.entries(MODELS)) {
    const body = { name: dialect, dialect, base_url: provider.url, secret: SECRET };
    const { id } = await ask(program.console, key, 'POST', 'providers', body);
    for (const name of models) await ask(program.console, key, 'POST', 'models', { name, provider: id });
  }
  // The gateway follows the trail: the model that was approved last is known when all are.
  const last = Object.values(MODELS).flat().at(-1);
  const known = () => fetch(`${program.gateway}/v1/models/${last}`, { headers: { 'x-api-key': key } });
  await expect(async () => expect((await known()).ok).toBe(true)).toPass({ timeout: 10_000 });
});

test.afterAll(async () => {
  await program?.stop();
  await provider?.stop();
});

// proves LL-077, RQ-093
for (const client of ['openai', 'anthropic']) {
  test(`the ${client} package shows every answer, refusal and error as its own API would`, async () => {
    const env = { GATEWAY: program.gateway, CONSOLE: program.console, KEY: key };
    const ran = await python(`clients/${client}_suite.py`, env);
    expect(ran.code, ran.out).toBe(0);
    expect(ran.out).toMatch(/Ran [1-9][0-9] tests/);
  });
}
