import { constants } from 'node:os';
import { invalidArgument } from '../base/errors.ts';

/** `9`, `kill`, `SIGKILL` → `SIGKILL`. Throws invalid-argument in docker's words. */
export function signalName(text: string): string {
  const upper = text.toUpperCase();
  const byNumber = Object.entries(constants.signals).find(([, number]) => `${number}` === upper)?.[0];
  const name = byNumber ?? (upper.startsWith('SIG') ? upper : `SIG${upper}`);
  if (!Object.hasOwn(constants.signals, name)) throw invalidArgument(`Invalid signal: ${text}`);
  return name;
}
