import { SlipwayError } from '../../base/errors.ts';

/** What a client says when it opens a session (moby/buildkit, session/grpchijack; lower-cased as HTTP/2 has it). */
export const sessionHeaders = {
  id: 'x-docker-expose-session-uuid',
  name: 'x-docker-expose-session-name',
  sharedKey: 'x-docker-expose-session-sharedkey',
  method: 'x-docker-expose-session-grpc-method',
  /** Ours, repeated: `name=path`, both percent-encoded: where a local directory lies on the client's machine. */
  localDirectory: 'x-slipway-local-dir',
} as const;

export interface SessionGreeting {
  readonly id: string;
  readonly name: string;
  readonly sharedKey: string;
  /** `/package.Service/Method` of everything the client serves. */
  readonly methods: readonly string[];
  /** Absolute paths on the client's machine, by the local's name. */
  readonly localDirectories: ReadonlyMap<string, string>;
}

export function greetingHeaders(greeting: SessionGreeting): Record<string, string | string[]> {
  const directories = [...greeting.localDirectories].map(
    ([name, path]) => `${encodeURIComponent(name)}=${encodeURIComponent(path)}`,
  );
  return {
    [sessionHeaders.id]: greeting.id,
    [sessionHeaders.name]: printable(greeting.name),
    [sessionHeaders.sharedKey]: printable(greeting.sharedKey),
    ...(greeting.methods.length > 0 && { [sessionHeaders.method]: [...greeting.methods] }),
    ...(directories.length > 0 && { [sessionHeaders.localDirectory]: directories }),
  };
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

const idForm = /^[A-Za-z0-9._-]{1,128}$/;

/** Reads a client's headers; `values` gives all values of one name. Throws invalid-argument without a usable id. */
export function readGreeting(values: (name: string) => readonly string[]): SessionGreeting {
  const id = values(sessionHeaders.id)[0] ?? '';
  if (!idForm.test(id)) {
    throw new SlipwayError('invalid-argument', `cannot open a session with the id ${JSON.stringify(id.slice(0, 200))}`);
  }
  const localDirectories = new Map<string, string>();
  for (const value of values(sessionHeaders.localDirectory)) {
    const [name = '', path = ''] = value.split('=', 2).map(decode);
    if (path.startsWith('/') && !path.includes('\0')) localDirectories.set(name, path);
  }
  return {
    id,
    name: values(sessionHeaders.name)[0] ?? '',
    sharedKey: values(sessionHeaders.sharedKey)[0] ?? '',
    methods: values(sessionHeaders.method),
    localDirectories,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
