import { invalidArgument } from '../../base/errors.ts';
import type { FlagReader } from '../flags.ts';
import { cleanLines } from '../progress/terminal-text.ts';
import { splitFields } from './fields.ts';

/** A question to the frontend in place of a build: `--check`, `--call name[,format=json][,ignorestatus=true]`. */
export interface BuildCall {
  /** `lint`, `outline`, `targets`, `subrequests.describe`, or what another frontend may know. */
  readonly name: string;
  readonly format: string;
  readonly ignoreStatus: boolean;
}

/** Undefined for a build. */
export function readCall(flags: FlagReader): BuildCall | undefined {
  const text = flags.boolean('check') || flags.boolean('fix') ? 'check' : (flags.text('call') ?? '');
  let call: BuildCall = { name: '', format: '', ignoreStatus: false };
  for (const field of splitFields(text)) {
    const [key = '', value] = field.split(/=(.*)/s, 2);
    if (value === undefined) {
      if (call.name !== '') throw callError(text, `it names ${JSON.stringify(call.name)} already`);
      call = { ...call, name: field };
    } else if (key === 'format') call = { ...call, format: value };
    else if (key === 'ignorestatus') call = { ...call, ignoreStatus: readBoolean(value, text) };
    else throw callError(text, `${JSON.stringify(field)} means nothing here`);
  }
  if (call.name === '' || call.name === 'build') return undefined;
  return call.name === 'check' ? { ...call, name: 'lint' } : call;
}

function readBoolean(value: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw callError(text, `ignorestatus is ${JSON.stringify(value)}`);
}

function callError(text: string, why: string): Error {
  return invalidArgument(`cannot read the build's method ${JSON.stringify(text)}: ${why}`, {
    hint: 'want check, outline or targets, with ,format=json or ,ignorestatus=true behind it',
  });
}

/** What asks it of the frontend. */
export function callOptions(call: BuildCall | undefined): Record<string, string> {
  if (!call) return {};
  return { requestid: `frontend.${call.name}`, 'frontend.caps': 'moby.buildkit.frontend.subrequests+forward' };
}

/** Prints the answer as buildx does; answers the exit code. `filename` is what the user calls the Dockerfile. */
export async function printAnswer(
  call: BuildCall,
  response: Readonly<Record<string, string>>,
  filename: string | undefined,
): Promise<number> {
  const json = response['frontend.result.json'] ?? '';
  const isText = call.format !== 'json';
  if (!isText) process.stdout.write(`${json}\n`);
  else if (call.name !== 'lint') process.stdout.write(cleanLines(response['frontend.result.txt'] ?? ''));
  if (call.name === 'lint' && (await printLint(json, isText, filename))) return 1;
  return call.ignoreStatus ? 0 : Number(response['frontend.result.statuscode'] ?? 0);
}

/** Whether the build would fail. */
async function printLint(json: string, isText: boolean, filename: string | undefined): Promise<boolean> {
  const { drawLintError, drawLintWarnings, readLintResults } = await import(
    '../../frontend/subrequests/lint-results.ts'
  );
  const results = readLintResults(json);
  const name = filename ?? results.sources[0]?.filename ?? 'Dockerfile';
  const count = results.warnings?.length ?? 0;
  if (isText) {
    const found = count === 1 ? '1 warning has' : `${count} warnings have`;
    if (count > 0) process.stdout.write(`Check complete, ${found} been found!\n`);
    process.stdout.write(cleanLines(drawLintWarnings(results, name)));
  }
  const error = drawLintError(results, name);
  if (error !== '') {
    if (isText && count > 0) process.stdout.write('\n');
    process.stderr.write(`ERROR: ${cleanLines(error)}\n`);
  } else if (isText && count === 0) process.stdout.write('Check complete, no warnings found.\n');
  return error !== '';
}
