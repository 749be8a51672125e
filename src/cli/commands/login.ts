import { createInterface } from 'node:readline';
import { invalidArgument } from '../../base/errors.ts';
import { checkLogin } from '../../registry/check-login.ts';
import { defaultDockerConfigPath, dockerConfigCredentials } from '../../registry/docker-config.ts';
import { RegistryClient } from '../../registry/registry-client.ts';
import { eraseLogin, storeLogin } from '../../registry/store-login.ts';
import type { CommandRun } from '../command.ts';
import { UsageError } from '../flags.ts';

const hub = 'docker.io';

/** `https://host/v1/` and the like as the host alone. */
function hostOf(server: string | undefined): string {
  if (server === undefined || server === '') return hub;
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? hub : host;
}

export const runLogin: CommandRun = async ({ flags, args }) => {
  const host = hostOf(args[0]);
  const given = { username: flags.text('username'), secret: flags.text('password') };
  if (flags.boolean('password-stdin')) {
    if (given.secret !== undefined)
      throw new UsageError('conflicting options: cannot specify both --password and --password-stdin');
    if (given.username === undefined) throw new UsageError('the --password-stdin option requires --username to be set');
    given.secret = await readAll();
  } else if (given.secret !== undefined)
    process.stderr.write('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
  const login = await complete(given, host);
  const client = new RegistryClient({ credentials: async (asked) => (hostOf(asked) === host ? login : undefined) });
  try {
    await checkLogin(client, host);
  } finally {
    client.close();
  }
  const path = defaultDockerConfigPath();
  const stored = await storeLogin(host, login, { path });
  if (stored.place === 'file')
    process.stderr.write(
      `\nWARNING! Your credentials are stored unencrypted in '${path}'.\nConfigure a credential helper (credsStore) to change that.\n\n`,
    );
  console.log('Login Succeeded');
  return 0;
};

interface Login {
  readonly username: string;
  readonly secret: string;
}

/** Asks for what is missing; without any, the stored login is tried again. */
async function complete(given: { readonly [K in keyof Login]: string | undefined }, host: string): Promise<Login> {
  if (given.username === undefined && given.secret === undefined) {
    const stored = await dockerConfigCredentials()(host === hub ? 'registry-1.docker.io' : host);
    if (stored && 'username' in stored) {
      console.log('Authenticating with existing credentials...');
      return stored;
    }
  }
  const username = given.username ?? (await ask('Username: ', false));
  const secret = given.secret ?? (await ask('Password: ', true));
  if (username === '' || secret === '') throw invalidArgument('username and password required');
  return { username, secret };
}

async function readAll(): Promise<string> {
  const bytes = await Array.fromAsync(process.stdin as AsyncIterable<Buffer>);
  return Buffer.concat(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** One line from the terminal; a hidden one is not echoed. */
async function ask(question: string, hidden: boolean): Promise<string> {
  if (!process.stdin.isTTY)
    throw invalidArgument('cannot perform an interactive login from a non TTY device', {
      hint: 'use --password-stdin',
    });
  process.stdout.write(question);
  if (!hidden) {
    const reader = createInterface({ input: process.stdin });
    const line = await new Promise<string>((resolve) => reader.once('line', resolve).once('close', () => resolve('')));
    reader.close();
    return line.trim();
  }
  process.stdin.setRawMode(true);
  try {
    return await readHidden();
  } finally {
    process.stdin.setRawMode(false);
    process.stdin.pause();
    process.stdout.write('\n');
  }
}

async function readHidden(): Promise<string> {
  let typed = '';
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    for (const character of chunk.toString('utf8')) {
      if (character === '\r' || character === '\n' || character === '\x04') return typed;
      if (character === '\x03') throw invalidArgument('login was interrupted');
      typed = character === '\x7f' || character === '\b' ? typed.slice(0, -1) : typed + character;
    }
  }
  return typed;
}

export const runLogout: CommandRun = async ({ args }) => {
  const host = hostOf(args[0]);
  console.log(`Removing login credentials for ${host === hub ? 'https://index.docker.io/v1/' : host}`);
  await eraseLogin(host, { path: defaultDockerConfigPath() });
  return 0;
};
