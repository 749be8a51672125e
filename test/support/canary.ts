import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files of the host that a hostile input is after: nothing of the tree may change, and its secret may turn up nowhere. Names and bytes,
 * kinds, modes, owners and times are compared.
 */
export class Canary {
  readonly directory: string;
  readonly secret = `canary-${randomBytes(8).toString('hex')}`;
  readonly #untouched: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(join(directory, 'empty'), { recursive: true });
    writeFileSync(this.file, `${this.secret}\n`);
    this.#untouched = this.#state();
  }

  /** What holds the secret. */
  get file(): string {
    return join(this.directory, 'file');
  }

  assertUntouched(words = 'the host’s files changed'): void {
    assert.equal(this.#state(), this.#untouched, words);
  }

  assertUnseen(text: string): void {
    assert.ok(!text.includes(this.secret), `the host’s secret is in:\n${text}`);
  }

  /** That no file below holds the secret. */
  assertNowhereIn(...directories: readonly string[]): void {
    assertNowhere(this.secret, ...directories);
  }

  #state(): string {
    const script = "find . -printf '%p %y %m %U:%G %s %T@ %l\\n' | sort; find . -type f -exec sha256sum {} +";
    return execFileSync('sh', ['-c', script], { cwd: this.directory, encoding: 'utf8' });
  }
}

/** That no file below these directories holds a text, nor its base64. */
export function assertNowhere(text: string, ...directories: readonly string[]): void {
  const coded = Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1);
  const { stdout } = spawnSync('grep', ['-rlaF', '-e', text, '-e', coded, '--', ...directories], { encoding: 'utf8' });
  assert.equal(stdout, '', 'a secret is kept');
}
