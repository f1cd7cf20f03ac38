import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The secret that opens every provider of the tests. */
export const SECRET = 'sk-only-known-to-the-provider';

/** A provider on this machine, which answers as it is told. */
export interface Provider {
  url: string;
  stop(): Promise<void>;
}

/** How a request is answered: `body` is all that was sent. */
export type Answer = (request: IncomingMessage, body: string, response: ServerResponse) => void;

export async function provide(answer: Answer): Promise<Provider> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    answer(request, body, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  };
  return { url: `http://127.0.0.1:${port}/v1`, stop };
}

export function json(response: ServerResponse, status: number, body: object, more: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
}
