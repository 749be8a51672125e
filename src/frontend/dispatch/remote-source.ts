import { posix } from 'node:path';
import { invalidArgument } from '../../base/errors.ts';
import type { AddInstruction } from '../../dockerfile/instruction.ts';
import { sourceOp } from '../../graph/ops.ts';
import type { Edge } from '../../graph/vertex.ts';
import { gitSource, parseGitUrl } from '../git-url.ts';
import { expand, type StageState } from '../stage-state.ts';

export function isRemote(path: string): boolean {
  return /^https?:\/\//.test(path) || parseGitUrl(path) !== undefined;
}

/** ADD from the network: a file, or a repository's tree. */
export function remoteSource(
  stage: StageState,
  instruction: AddInstruction | { readonly name: 'copy' },
  url: string,
  name: string | undefined,
): { readonly edge: Edge; readonly src: string } {
  const add = instruction.name === 'add' ? instruction : undefined;
  const checksum = add?.checksum === undefined ? undefined : expand(stage, add.checksum);
  const git = parseGitUrl(url);
  if (git) {
    const edge = gitSource(git, { name, keepGitDir: add?.keepGitDir, checksum });
    return { edge, src: '/' };
  }
  if (checksum !== undefined && !/^sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})$/.test(checksum)) {
    throw invalidArgument(`invalid checksum digest format: ${JSON.stringify(checksum)}`, {
      hint: 'want sha256: and 64 hex digits',
    });
  }
  const filename = fileNameOf(url);
  const edge = sourceOp(
    url,
    { 'http.filename': filename, ...(checksum === undefined ? {} : { 'http.checksum': checksum }) },
    { name },
  );
  return { edge, src: `/${filename}` };
}

function fileNameOf(url: string): string {
  const base = URL.canParse(url) ? posix.basename(decodeURIComponent(new URL(url).pathname)) : '';
  return base === '' || base === '.' || base === '..' || base.includes('/') ? '__unnamed__' : base;
}
