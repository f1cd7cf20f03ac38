import { expect } from '@playwright/test';

/** A page of a list, or one thing, as the JSON API answers it. */
interface Answer {
  id: string;
  data: { id: string; name?: string; begins?: string }[];
}

/** Asks the JSON API with a key; anything but success fails the test. */
export async function ask(origin: string, key: string, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const answer = await fetch(`${origin}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  expect(answer.ok, `${method} ${path}: ${answer.status} ${text}`).toBe(true);
  return JSON.parse(text);
}

/** The ids in a list. */
export async function ids(origin: string, key: string, list: string): Promise<string[]> {
  return (await ask(origin, key, 'GET', list)).data.map(({ id }) => id);
}
