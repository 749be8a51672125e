import { invalidArgument } from '../../base/errors.ts';

/** Watches what is typed for the keys that detach, `ctrl-p,ctrl-q` unless others are given. */
export class DetachKeys {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys = 'ctrl-p,ctrl-q') {
    this.#keys = Buffer.from((keys || 'ctrl-p,ctrl-q').split(',').map(keyCode));
  }

  /** What goes to the process; a beginning of the keys is held back until it is clear what it is. */
  filter(typed: Buffer): Buffer | 'detach' {
    const passed: number[] = [];
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return 'detach';
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) passed.push(byte);
    }
    return Buffer.from(passed);
  }
}

function keyCode(name: string): number {
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(name)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
  if (/^[ -~]$/.test(name)) return name.charCodeAt(0);
  throw invalidArgument(`cannot use ${JSON.stringify(name)} as a key to detach`, {
    hint: 'want a character or ctrl-a to ctrl-z',
  });
}
