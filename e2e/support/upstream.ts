import type { IncomingMessage, ServerResponse } from 'node:http';

import { json, provide, SECRET } from './provider';

export const MODEL = 'small-talk-1';
export const WORDS = ['Who ', 'may ', 'do ', 'what.'];

/** A provider that speaks the OpenAI protocol and always says the same. */
export const upstream = () => provide(answer);

function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
  if (request.headers.authorization !== `Bearer ${SECRET}`) {
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
