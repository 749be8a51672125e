import type { Digest } from '../base/digest.ts';
import { digestSet } from './request.ts';

/** What is said of a result, ready to be joined with what it is said about. */
export interface Attestation {
  readonly predicateType: string;
  /** Its file's name where a result is exported as files. */
  readonly path: string;
  /** Only in images, never beside exported files. */
  readonly inlineOnly: boolean;
  /** Subjects of its own; the result itself when empty. */
  readonly subjects: readonly Subject[];
  /** Of an SBOM of the result's own files: where they are, layer by layer, is added. */
  readonly isCoreSbom?: boolean;
  /** Called once the result's layers are blobs. */
  predicate(): Promise<unknown>;
}

export interface Subject {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
}

export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly predicateType: string;
  readonly subject: readonly Subject[];
  readonly predicate: unknown;
}

export function subjectOf(name: string, digest: Digest): Subject {
  return { name, digest: digestSet(digest) };
}

/** An in-toto statement, v1 (github.com/in-toto/attestation, spec/v1/statement.md). */
export async function makeStatement(attestation: Attestation, self: readonly Subject[]): Promise<Statement> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    predicateType: attestation.predicateType,
    subject: attestation.subjects.length > 0 ? attestation.subjects : self,
    predicate: await attestation.predicate(),
  };
}
