import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const PROGRAM = process.env.GATEWARDEN_PROGRAM ?? join(import.meta.dirname, '../../target/debug/gatewarden');
/** How long the program may take to answer, and to end when asked, in milliseconds. */
const PATIENCE = 30_000;
/** The system chooses; a port that was free a moment ago may not be any more. */
const FREE_PORTS = ['--listen', '127.0.0.1:0', '--gateway-listen', '127.0.0.1:0'];
/** What it logs once both answer, and the first address that it prints. */
const SERVING = /serving console=(\S+)\/ gateway=(\S+)\//;
const PRINTED = /https?:\/\/\S+/;

export interface Owner {
  organization: string;
  email: string;
  password: string;
}

/** A running Gatewarden with data of its own. */
export class Program {
  private constructor(
    readonly console: string,
    readonly gateway: string,
    /** The URL that the program printed: the set-up page on a fresh start. */
    readonly printed: string,
    /** What it has logged so far. */
    readonly log: string[],
    private readonly data: string,
    private readonly process: ChildProcess,
  ) {}

  /** Starts it on free ports; `prepare` may fill the data folder before. */
  static start(prepare?: (data: string) => Promise<unknown>): Promise<Program> {
    return Program.run('serve', prepare);
  }

  /** Starts it with the example organization. */
  static demo(): Promise<Program> {
    return Program.run('demo');
  }

  private static async run(command: string, prepare?: (data: string) => Promise<unknown>): Promise<Program> {
    const data = await mkdtemp(join(tmpdir(), 'gatewarden-e2e-'));
    try {
      await prepare?.(data);
      const child = spawn(PROGRAM, [command, '--data', data, ...FREE_PORTS], {
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const log: string[] = [];
      try {
        const [addresses, printed] = await Promise.all([
          firstMatch(child, child.stderr!, SERVING, (line) => {
            log.push(line);
            process.stderr.write(`${line}\n`);
          }),
          firstMatch(child, child.stdout!, PRINTED),
        ]);
        const [, console, gateway] = addresses as [string, string, string];
        return new Program(console, gateway, printed[0], log, data, child);
      } catch (error) {
        await end(child);
        throw error;
      }
    } catch (error) {
      await rm(data, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    await end(this.process);
    await rm(this.data, { recursive: true, force: true });
  }
}

/** Makes the owner and the organization as a script would, and answers its master key. */
export function init(data: string, owner: Owner): Promise<string> {
  const words = ['init', '--data', data, '--organization', owner.organization, '--owner', owner.email];
  return new Promise((resolve, reject) => {
    const env = { ...environment(), GATEWARDEN_OWNER_PASSWORD: owner.password };
    execFile(PROGRAM, words, { env, timeout: PATIENCE }, (error, out, err) => {
      if (error) reject(new Error(`gatewarden init: ${error.message}\n${err}`));
      else resolve(JSON.parse(out).master_key);
    });
  });
}

function environment(): NodeJS.ProcessEnv {
  // The upstream of these tests is on this machine, and its log is read.
  const log = { GATEWARDEN__LOG__FORMAT: 'text', GATEWARDEN__LOG__LEVEL: 'info' };
  return { ...process.env, ...log, GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE: '127.0.0.0/8', NO_PROXY: '127.0.0.1' };
}

/** Waits for the first line that matches, and reads on to the end, so that the program never waits for a full pipe. */
function firstMatch(child: ChildProcess, from: Readable, wanted: RegExp, each = (_line: string) => {}): Promise<RegExpMatchArray> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    let found: RegExpMatchArray | null = null;
    const failed = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`gatewarden said nothing like ${wanted}: ${why}\n${seen.join('\n')}`));
    };
    const timer = setTimeout(() => failed('too slow'), PATIENCE);
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code) => failed(`it ended with ${code}`));
    createInterface({ input: from }).on('line', (line) => {
      each(line);
      if (found) return;
      seen.push(line);
      found = line.match(wanted);
      if (!found) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((exited) => child.once('exit', exited));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  await ended;
  clearTimeout(timer);
}
