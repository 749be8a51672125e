import { type Attestation, makeStatement, subjectOf } from '../attestation/statement.ts';
import { invalidArgument } from '../base/errors.ts';
import type { DigestedFile } from '../snapshot/digest-files.ts';

export interface AttestationFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Statements about files, as files. Throws when two would have one name, or a name that is none. */
export async function attestationFiles(
  attestations: readonly Attestation[],
  files: readonly DigestedFile[],
  nameOf: (name: string) => string,
): Promise<AttestationFile[]> {
  const self = files.map(({ path, digest }) => subjectOf(path, digest));
  const made = new Map<string, Uint8Array>();
  for (const attestation of attestations) {
    const name = nameOf(attestation.path.split('/').at(-1) ?? '');
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
      throw invalidArgument(`cannot use ${JSON.stringify(name)} as the file name of an attestation`);
    if (made.has(name)) throw invalidArgument(`duplicate attestation path name ${name}`);
    made.set(name, Buffer.from(JSON.stringify(await makeStatement(attestation, self), undefined, 2)));
  }
  return [...made].map(([name, bytes]) => ({ name, bytes }));
}
