import type { FrontendResult } from '../frontend.ts';
import { goJson } from './go-json.ts';
import { drawTable } from './text-table.ts';

/** A question that a frontend answers instead of building (BuildKit's `frontend/subrequests`). */
interface Subrequest {
  readonly name: string;
  readonly version: string;
  readonly type: 'rpc';
  readonly description: string;
  readonly opts: readonly { readonly name: string; readonly description: string }[] | null;
  readonly inputs: null;
  readonly metadata: readonly { readonly name: string; readonly description: string }[];
  readonly refs: null;
}

const version = '1.0.0';
const results = ['result.json', 'result.txt'].map((name) => ({ name, description: '' }));

/** As BuildKit's frontend lists them: what `check` asks (`frontend.lint`) is not among them. */
const described: readonly Subrequest[] = [
  request('frontend.outline', 'List all parameters current build target supports', [
    { name: 'target', description: 'Target build stage' },
  ]),
  request('frontend.targets', 'List all targets current build supports', []),
  request('frontend.subrequests.describe', 'List available subrequest types', null),
];

function request(name: string, description: string, opts: Subrequest['opts']): Subrequest {
  return { name, version, type: 'rpc', description, opts, inputs: null, metadata: results, refs: null };
}

export function describeRequests(): FrontendResult {
  const rows = described.map((each) => [each.name.replace(/^frontend\./, ''), each.version, each.description]);
  return answer(described, drawTable([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1));
}

/** What a request comes to: data, the same as text, and for `check` a status. */
export function answer(value: unknown, text: string, status?: number): FrontendResult {
  const metadata = new Map([
    ['result.json', goJson(value)],
    ['result.txt', text],
    ...(status === undefined ? [] : [['result.statuscode', `${status}`] as const]),
    ['version', version],
  ]);
  const bytes = new Map(Array.from(metadata, ([key, each]) => [key, Buffer.from(each)]));
  return { refs: new Map([['', undefined]]), metadata: bytes };
}
