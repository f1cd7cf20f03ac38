import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const MODEL = 'small-talk-1';
export const WORDS = ['Who ', 'may ', 'do ', 'what.'];

/** A provider that speaks the OpenAI protocol and always says the same. */
export class Upstream {
  private constructor(
    readonly url: string,
    readonly secret: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<Upstream> {
    const secret = 'sk-only-known-to-the-provider';
    const server = createServer((request, response) => void answer(secret, request, response));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    return new Upstream(`http://127.0.0.1:${port}/v1`, secret, server);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}

async function answer(secret: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const part of request) body += part;
  if (request.headers.authorization !== `Bearer ${secret}`) {
    json(response, 401, { error: { message: 'Incorrect API key provided', type: 'invalid_request_error' } });
  } else if (request.method === 'GET' && request.url === '/v1/models') {
    json(response, 200, { object: 'list', data: [{ id: MODEL, object: 'model', created: 0, owned_by: 'e2e' }] });
  } else if (request.method === 'POST' && request.url === '/v1/chat/completions') {
    complete(JSON.parse(body), response);
  } else {
    json(response, 404, { error: { message: 'no such path', type: 'invalid_request_error' } });
  }
}

function complete(asked: { stream?: boolean }, response: ServerResponse): void {
  const about = { id: 'chatcmpl-1', created: 0, model: MODEL };
  const usage = { prompt_tokens: 7, completion_tokens: WORDS.length, total_tokens: 7 + WORDS.length };
  if (!asked.stream) {
    const message = { role: 'assistant', content: WORDS.join('') };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    return json(response, 200, { ...about, object: 'chat.completion', choices, usage });
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (part: object) =>
    response.write(`data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', ...part })}\n\n`);
  for (const content of WORDS) send({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
