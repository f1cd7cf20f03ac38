import { expect, test } from './test';

test('the program that is tested was built with htmx and the icons', async ({ program }) => {
  const page = await (await fetch(`${program.console}/sign-in`)).text();
  const how = 'the program is a plain one: run npm ci --ignore-scripts at the root, touch crates/web/build.rs, build again';
  expect(page.includes('/static/htmx.min-'), how).toBe(true);
});
