import type { Digest } from '../../base/digest.ts';
import { isDigest } from '../../base/digest.ts';
import { SlipwayError } from '../../base/errors.ts';

/** Of the blob that tells a build's steps; named in the record's `ExporterResponse` under `stepsKey`, as a descriptor in JSON. */
export const stepsMediaType = 'application/vnd.slipway.build.steps.v1+json';
/** Of the blobs that list the files which a step was keyed by. */
export const filesMediaType = 'application/vnd.slipway.build.files.v1+json';
export const stepsKey = 'slipway.build.steps';
/** Annotation of the steps' descriptor: equal for builds of the same target of the same Dockerfile and context. */
export const subjectAnnotation = 'slipway.build.subject';

/** A pointer to a blob, as the image specification writes it. */
export interface BlobPointer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface BuildSteps {
  /** Inputs before users. */
  readonly steps: readonly RecordedStep[];
}

/** One step of a finished build: what it was, how it was keyed, how it went. */
export interface RecordedStep {
  readonly digest: string;
  readonly name: string;
  readonly kind: string;
  /** In the Dockerfile, from 1. */
  readonly lines?: readonly [number, number] | undefined;
  readonly outcome: 'cached' | 'ran' | 'failed' | 'waiting';
  readonly seconds: number;
  /** The user asked that it run. */
  readonly ignoreCache: boolean;
  /** Digest of the op alone, absent when the step was never keyed. */
  readonly op?: string | undefined;
  /** What the op says, in words that can be compared: `command`, `environment NAME`, `user`. */
  readonly facts: Readonly<Record<string, string>>;
  readonly inputs: readonly RecordedInput[];
}

export interface RecordedInput {
  /** Digest of the step that makes it. */
  readonly step: string;
  readonly key: string;
  /** The key is of the files' content, not of how they came to be. */
  readonly content: boolean;
  readonly files?: BlobPointer | undefined;
}

/** Path → what counts of the file: its mode and a digest of its content (empty for a directory). */
export type FileListing = ReadonlyMap<string, { readonly mode: string; readonly digest: string }>;

/** Reads what a builder said of itself. Throws data-loss when that has another form. */
export function parseBuildSteps(bytes: Uint8Array): BuildSteps {
  const value = parseObject(bytes, 'steps of a build');
  if (!Array.isArray(value.steps)) throw malformed('steps of a build');
  return { steps: value.steps.map(parseStep) };
}

export function parseFileListing(bytes: Uint8Array): FileListing {
  const { files } = parseObject(bytes, 'files of a step');
  if (!Array.isArray(files)) throw malformed('files of a step');
  return new Map(files.map(([path, mode, digest]) => [`${path}`, { mode: `${mode}`, digest: `${digest}` }]));
}

export function parseBlobPointer(text: string): BlobPointer {
  const { mediaType, digest, size, annotations } = parseObject(Buffer.from(text), 'descriptor');
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || !isDigest(digest) || typeof size !== 'number')
    throw malformed('descriptor');
  return { mediaType, digest, size, ...(isTexts(annotations) ? { annotations } : {}) };
}

function parseStep(value: unknown): RecordedStep {
  const step = value as RecordedStep | null;
  const isStep =
    typeof step?.digest === 'string' &&
    typeof step.name === 'string' &&
    typeof step.seconds === 'number' &&
    isTexts(step.facts) &&
    Array.isArray(step.inputs) &&
    step.inputs.every((input) => typeof input?.step === 'string' && typeof input.key === 'string');
  if (!isStep) throw malformed('step of a build');
  return step;
}

function isTexts(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.values(value).every((each) => typeof each === 'string');
}

function parseObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw malformed(what);
}

function malformed(what: string): SlipwayError {
  return new SlipwayError(
    'data-loss',
    `cannot read the ${what} that the builder keeps: they are not in the form that was agreed`,
  );
}
