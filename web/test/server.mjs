import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const binary = process.env.CAREGRAPH_BIN ?? fileURLToPath(new URL('../../bin/caregraph', import.meta.url));

/**
 * Starts the server on a new database and a free port; `base` is its address. `restart` stops it, and starts it at the same
 * address with the same data.
 */
export async function startServer(...flags) {
  const data = await mkdtemp(join(tmpdir(), 'caregraph-web-test-'));
  let server, ended;
  const start = address => {
    server = spawn(binary, ['serve', '--addr', address, '--data', join(data, 'db'), '--log-level', 'warn', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ended = once(server, 'exit');
    return greeting(server);
  };
  const end = async () => {
    server.kill('SIGTERM');
    await ended;
  };
  const stop = async () => {
    await end();
    await rm(data, { recursive: true, force: true });
  };
  const base = await start('127.0.0.1:0').catch(async error => {
    await stop();
    throw error;
  });
  const restart = async () => {
    await end();
    await start(new URL(base).host);
  };
  return { base, data: join(data, 'db'), stop, restart };
}

async function greeting(server) {
  for await (const line of createInterface({ input: server.stdout })) {
    const address = /Start here\s+(\S+?)\/$/.exec(line);
    if (address) {
      return address[1];
    }
  }
  throw new Error('the server ended before it was ready');
}

/** Creates an administrator's account while the server runs. */
export async function createAdmin({ data }, email, password) {
  const command = spawn(binary, ['admin', 'create', '--email', email, '--data', data], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  command.stdin.end(`${password}\n`);
  const [status] = await once(command, 'exit');
  if (status !== 0) {
    throw new Error(`admin create ended with status ${status}`);
  }
}
