import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';

/** The Python that has `requirements.txt` installed. */
const PYTHON = process.env.PYTHON ?? join(import.meta.dirname, '../../target/tools/e2e/bin/python');

export interface Ran {
  code: number;
  out: string;
}

/** Runs a script of this folder with that Python. */
export const python = (script: string, env: Record<string, string>) =>
  run(PYTHON, [join(import.meta.dirname, '..', script)], env);

/** Runs a program that was installed with that Python. */
export const tool = (name: string, words: string[], env: Record<string, string>) =>
  run(join(dirname(PYTHON), name), words, env);

function run(program: string, words: string[], env: Record<string, string>): Promise<Ran> {
  const options = { env: { ...process.env, NO_PROXY: '127.0.0.1', ...env }, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile(program, words, options, (error, out, err) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: error ? Number(error.code) : 0, out: out + err });
    });
  });
}
