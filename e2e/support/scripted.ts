import type { IncomingMessage, ServerResponse } from 'node:http';

import { json, provide, SECRET } from './provider';

const WORDS = ['Who ', 'may ', 'do ', 'what.'];
const CITY = { city: 'Turin' };

/** What a call asks for, in either API, as far as it matters here. */
interface Asked {
  model: string;
  stream?: boolean;
  input?: string[];
  encoding_format?: string;
  stream_options?: { include_usage?: boolean };
  messages?: { role: string; content: string | { type: string; content?: string }[] }[];
}

/** How an answer goes: what is said, as the API says it whole and in events, and how it ends. */
interface Script {
  whole: object;
  events: string[];
  ends: 'whole' | 'half' | 'stall';
}

/** The models that the script has, by the API in which they are called. */
export const MODELS = {
  openai: ['words', 'tools', 'silent', 'half', 'stall', 'error-401', 'error-429', 'error-500'],
  anthropic: ['', '-tools', '-silent', '-half', '-stall', '-error-401', '-error-429'].map((end) => `message${end}`),
};

/** A provider that speaks both APIs and does what the model's name says. */
export const scripted = () => provide(answer);

function answer(request: IncomingMessage, body: string, response: ServerResponse): void {
  const anthropic = request.url?.startsWith('/v1/messages');
  const given = anthropic ? request.headers['x-api-key'] : request.headers.authorization;
  if (given !== (anthropic ? SECRET : `Bearer ${SECRET}`)) return json(response, 401, {});
  const asked: Asked = JSON.parse(body);
  const status = Number(asked.model.match(/error-(\d+)/)?.[1] ?? 200);
  if (asked.model.endsWith('silent')) return;
  if (status !== 200) return json(response, status, refusal(status), { 'retry-after': '7' });
  switch (request.url) {
    case '/v1/embeddings':
      return json(response, 200, embeddings(asked));
    case '/v1/messages/count_tokens':
      return json(response, 200, { input_tokens: 7 });
    default:
      play(asked, anthropic ? message(asked) : completion(asked), response);
  }
}

function play(asked: Asked, { whole, events, ends }: Script, response: ServerResponse): void {
  const parts = asked.stream ? events : [JSON.stringify(whole)];
  response.writeHead(200, { 'content-type': asked.stream ? 'text/event-stream' : 'application/json' });
  if (ends === 'whole') return void response.end(parts.join(''));
  const half = asked.stream ? parts.slice(0, 2).join('') : parts[0].slice(0, 40);
  response.write(half, () => {
    if (ends === 'half') response.destroy();
  });
}

const ending = ({ model }: Asked): Script['ends'] =>
  model.endsWith('half') ? 'half' : model.endsWith('stall') ? 'stall' : 'whole';

/** What a tool has said, if the last message has it. */
function result(asked: Asked): string | undefined {
  const last = asked.messages?.at(-1);
  if (last?.role === 'tool') return last.content as string;
  return typeof last?.content === 'object' ? last.content.find(({ type }) => type === 'tool_result')?.content : undefined;
}

function completion(asked: Asked): Script {
  const about = { id: 'chatcmpl-1', created: 0, model: asked.model };
  const usage = { prompt_tokens: 7, completion_tokens: 4, total_tokens: 11 };
  const told = result(asked);
  const words = told ? [`It says: ${told}`] : WORDS;
  const calls = asked.model === 'tools' && !told;
  const call = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: JSON.stringify(CITY) } };
  const said = calls ? { content: null, tool_calls: [call] } : { content: words.join('') };
  const finish_reason = calls ? 'tool_calls' : 'stop';
  const choices = [{ index: 0, message: { role: 'assistant', ...said }, finish_reason }];
  const deltas = calls ? [{ tool_calls: [{ index: 0, ...call }] }] : words.map((content) => ({ content }));
  const event = (part: object) => `data: ${JSON.stringify({ ...about, object: 'chat.completion.chunk', ...part })}\n\n`;
  const events = deltas.map((delta) => event({ choices: [{ index: 0, delta, finish_reason: null }] }));
  events.push(event({ choices: [{ index: 0, delta: {}, finish_reason }] }));
  if (asked.stream_options?.include_usage) events.push(event({ choices: [], usage }));
  events.push('data: [DONE]\n\n');
  return { whole: { ...about, object: 'chat.completion', choices, usage }, events, ends: ending(asked) };
}

function message(asked: Asked): Script {
  const told = result(asked);
  const words = told ? [`It says: ${told}`] : WORDS;
  const calls = asked.model === 'message-tools' && !told;
  const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: CITY };
  const about = { id: 'msg_1', type: 'message', role: 'assistant', model: asked.model };
  const end = { stop_reason: calls ? 'tool_use' : 'end_turn', stop_sequence: null };
  const usage = { input_tokens: 7, output_tokens: 4 };
  const whole = { ...about, content: [calls ? call : { type: 'text', text: words.join('') }], ...end, usage };
  const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const begun = { ...about, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } };
  const content_block = calls ? { ...call, input: {} } : { type: 'text', text: '' };
  const json = { type: 'input_json_delta', partial_json: JSON.stringify(CITY) };
  const deltas = calls ? [json] : words.map((text) => ({ type: 'text_delta', text }));
  const events = [
    event('message_start', { message: begun }),
    event('content_block_start', { index: 0, content_block }),
    ...deltas.map((delta) => event('content_block_delta', { index: 0, delta })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: end, usage: { output_tokens: 4 } }),
    event('message_stop', {}),
  ];
  return { whole, events, ends: ending(asked) };
}

function embeddings({ model, input = [], encoding_format }: Asked): object {
  const vector = (length: number) =>
    encoding_format === 'base64' ? Buffer.from(new Float32Array([length, 0.5]).buffer).toString('base64') : [length, 0.5];
  const data = input.map((text, index) => ({ object: 'embedding', index, embedding: vector(text.length) }));
  return { object: 'list', data, model, usage: { prompt_tokens: input.length, total_tokens: input.length } };
}

/** An error that both clients read: each takes from it what its API has. */
function refusal(status: number): object {
  const type = status === 429 ? 'rate_limit_error' : 'api_error';
  return { type: 'error', error: { type, message: 'The model was asked for an error.', code: 'scripted', param: null } };
}
