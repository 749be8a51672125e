import { NamedSteps, sourceMetadata } from '../../attestation/build-steps.ts';
import type { ProvenanceOptions } from '../../attestation/options.ts';
import { predicateTypes, provenancePredicate } from '../../attestation/predicate.ts';
import type { Attestation } from '../../attestation/statement.ts';
import { SlipwayError } from '../../base/errors.ts';
import type { FrontendResult } from '../../frontend/frontend.ts';
import type { Edge } from '../../graph/vertex.ts';
import type { Build } from './build.ts';
import { captureResult } from './capture-result.ts';
import { stepLayers } from './step-layers.ts';
import { buildkitVersion } from './worker-record.ts';

interface Subject {
  readonly build: Build;
  readonly result: FrontendResult;
  /** Empty for the only one of a build. */
  readonly platformId: string;
  readonly edge: Edge;
}

/** The provenance of one platform's result as an attestation. */
export function attestProvenance(subject: Subject, options: ProvenanceOptions): Attestation {
  const { capture, describe } = prepare(subject, options);
  if (options.completeMaterials && (capture.incomplete || capture.locals.size > 0)) {
    const locals = [...capture.locals].map((name) => `\n  - ${name}\n    reason: local_source`).join('');
    throw new SlipwayError(
      'failed-precondition',
      `provenance materials are incomplete: not all that went into the build is known${locals}`,
    );
  }
  return {
    predicateType: predicateTypes[options.version],
    path: options.filename,
    inlineOnly: options.inlineOnly,
    subjects: [],
    predicate: async () => describe(new Date()),
  };
}

/** The same for the build's record, whatever the client wanted. */
export function recordedProvenance(subject: Subject, builderId: string, finishedAt: Date): object {
  const options: ProvenanceOptions = {
    mode: 'max',
    version: 'v1',
    builderId,
    filename: '',
    reproducible: false,
    inlineOnly: false,
    completeMaterials: false,
  };
  return prepare(subject, options).describe(finishedAt);
}

function prepare({ build, result, platformId, edge }: Subject, options: ProvenanceOptions) {
  const capture = captureResult(build, result, platformId, edge);
  const maker = build.scope.makerOf(edge) ?? build.scope;
  const describe = (finishedAt: Date): object => {
    const steps = new NamedSteps(edge);
    const isFull = options.mode === 'max';
    return provenancePredicate({
      options,
      capture,
      request: maker.record(capture),
      invocationId: build.invocationId,
      startedAt: build.startedAt,
      finishedAt,
      dockerfileVersion: buildkitVersion.dockerfileVersion,
      environment: build.engine.provenanceEnvironment,
      ...(isFull ? { buildConfig: steps.config(), layers: stepLayers(build, edge, steps) } : {}),
      ...(isFull && result.source ? { source: sourceMetadata(edge, steps, result.source) } : {}),
    });
  };
  return { capture, describe };
}
