import { formatPlatform, hostPlatform } from '../oci/platform.ts';
import type { BuildConfig } from './build-steps.ts';
import type { Capture } from './capture.ts';
import type { ProvenanceOptions } from './options.ts';
import { imagePurl } from './purl.ts';
import { commitDigest, digestSet, type RequestParameters, type RequestRecord, reduceRequest } from './request.ts';

/** All that a predicate tells. */
export interface ProvenanceFacts {
  readonly options: ProvenanceOptions;
  readonly capture: Capture;
  /** What was asked of the frontend; without one, of none. */
  readonly request: RequestRecord;
  readonly invocationId: string;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly dockerfileVersion: string;
  /** What the daemon's keeper says of it. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** With `mode=max`. */
  readonly buildConfig?: BuildConfig | undefined;
  readonly source?: unknown;
  readonly layers?: Readonly<Record<string, unknown>> | undefined;
}

interface Material {
  readonly uri: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** What is known whatever the version it is written in. */
interface Summary {
  readonly materials: readonly Material[];
  readonly request: RequestParameters;
  readonly isRequestComplete: boolean;
  readonly areMaterialsComplete: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, unknown>>;
}

export const predicateTypes = {
  v1: 'https://slsa.dev/provenance/v1',
  'v0.2': 'https://slsa.dev/provenance/v0.2',
} as const;

const compatibilityVersion = 30;

/** SLSA provenance as BuildKit writes it (docs/attestations/slsa-definitions.md and slsa-provenance.md there). */
export function provenancePredicate(facts: ProvenanceFacts): object {
  return facts.options.version === 'v1' ? predicateV1(facts, summarize(facts)) : predicateV02(facts, summarize(facts));
}

function summarize(facts: ProvenanceFacts): Summary {
  const { capture, options, request: record, environment, dockerfileVersion } = facts;
  const { vcs, request: full } = requestParameters(record, capture);
  const { reduced, incomplete } = options.mode === 'min' ? reduceRequest(full) : { reduced: full, incomplete: false };
  const frontend = record.request.frontend ?? '';
  const version = frontend === 'dockerfile.v0' ? { dockerfileVersion } : {};
  return {
    materials: materialsOf(capture),
    request: { ...reduced, compatibilityVersion },
    isRequestComplete: frontend !== '' && !incomplete,
    areMaterialsComplete: !capture.incomplete && capture.locals.size === 0,
    metadata: {
      ...(Object.keys(vcs).length > 0 ? { vcs } : {}),
      ...(facts.source ? { source: facts.source } : {}),
      ...(facts.layers && Object.keys(facts.layers).length > 0 ? { layers: facts.layers } : {}),
    },
    environment: { ...version, ...environment },
  };
}

/** `vcs:` options tell of the client's repository and stand elsewhere. */
function requestParameters({ request }: RequestRecord, capture: Capture) {
  const args = Object.entries(request.args ?? {});
  const vcs = args.flatMap(([name, value]) =>
    name.startsWith('vcs:') && value !== '' ? [[name.slice(4), value]] : [],
  );
  const kept = args.filter(([name]) => !name.startsWith('vcs:'));
  const { args: _, ...rest } = request;
  const full: RequestParameters = {
    ...rest,
    ...(kept.length > 0 ? { args: Object.fromEntries(kept) } : {}),
    ...accesses('secrets', capture.secrets),
    ...accesses('ssh', capture.ssh),
    ...(capture.locals.size > 0 ? { locals: [...capture.locals].toSorted().map((name) => ({ name })) } : {}),
  };
  return { vcs: Object.fromEntries(vcs) as Record<string, string>, request: full };
}

function accesses(key: 'secrets' | 'ssh', ids: ReadonlyMap<string, boolean>) {
  if (ids.size === 0) return {};
  const sorted = [...ids].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { [key]: sorted.map(([id, optional]) => ({ id, ...(optional ? { optional } : {}) })) };
}

function materialsOf(capture: Capture): Material[] {
  const images = capture.images.toSorted((a, b) =>
    a.reference < b.reference ? -1 : a.reference > b.reference ? 1 : 0,
  );
  const sorted = (map: ReadonlyMap<string, string>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...images.map(({ reference, platform, digest, local }) => ({
      uri: imagePurl(local ? 'oci' : 'docker', reference, platform),
      ...(digest === '' ? {} : { digest: digestSet(digest) }),
    })),
    ...sorted(capture.git).map(([uri, commit]) => ({ uri, digest: commitDigest(commit) })),
    ...sorted(capture.http).map(([uri, digest]) => ({ uri, digest: digestSet(digest) })),
  ];
}

function predicateV1(facts: ProvenanceFacts, summary: Summary): object {
  const { options, request, invocationId, startedAt, finishedAt, capture, buildConfig } = facts;
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      ...(summary.materials.length > 0 ? { resolvedDependencies: summary.materials } : {}),
      externalParameters: { configSource: request.configSource, request: summary.request },
      internalParameters: {
        ...(buildConfig ? { buildConfig } : {}),
        builderPlatform: formatPlatform(hostPlatform()),
        ...summary.environment,
      },
    },
    runDetails: {
      builder: { id: options.builderId },
      metadata: {
        invocationID: invocationId,
        startedOn: startedAt.toISOString(),
        finishedOn: finishedAt.toISOString(),
        buildkit_metadata: summary.metadata,
        ...(summary.areMaterialsComplete && !capture.networkAccess ? { buildkit_hermetic: true } : {}),
        buildkit_completeness: {
          request: summary.isRequestComplete,
          resolvedDependencies: summary.areMaterialsComplete,
        },
        ...(options.reproducible ? { buildkit_reproducible: true } : {}),
      },
    },
  };
}

function predicateV02(facts: ProvenanceFacts, summary: Summary): object {
  const { options, invocationId, startedAt, finishedAt, capture, buildConfig } = facts;
  const { uri, digest, path } = facts.request.configSource;
  return {
    builder: { id: options.builderId },
    buildType: 'https://mobyproject.org/buildkit@v1',
    ...(summary.materials.length > 0 ? { materials: summary.materials } : {}),
    invocation: {
      configSource: { ...(uri ? { uri } : {}), ...(digest ? { digest } : {}), ...(path ? { entryPoint: path } : {}) },
      parameters: summary.request,
      environment: { platform: formatPlatform(hostPlatform()), ...summary.environment },
    },
    ...(buildConfig ? { buildConfig } : {}),
    metadata: {
      buildInvocationID: invocationId,
      buildStartedOn: startedAt.toISOString(),
      buildFinishedOn: finishedAt.toISOString(),
      completeness: {
        parameters: summary.isRequestComplete,
        environment: true,
        materials: summary.areMaterialsComplete,
      },
      reproducible: options.reproducible,
      'https://mobyproject.org/buildkit@v1#metadata': summary.metadata,
      ...(summary.areMaterialsComplete && !capture.networkAccess
        ? { 'https://mobyproject.org/buildkit@v1#hermetic': true }
        : {}),
    },
  };
}
