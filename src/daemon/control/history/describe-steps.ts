import type { ExecOp, FileAction, Op } from '../../../api/gen/ops_pb.js';
import type { BlobPointer, BuildSteps, RecordedStep } from '../../../api/history/build-steps.ts';
import { digestOf } from '../../../base/digest.ts';
import { hideSecret, withoutLogins } from '../../../base/scrub.ts';
import type { Vertex as GraphVertex } from '../../../graph/vertex.ts';
import type { StepTrace } from '../../../solver/step-trace.ts';

/** A build's steps as they are kept: with what `--explain` compares. */
export function describeSteps(
  traces: readonly StepTrace[],
  graphVertexOf: (trace: StepTrace) => GraphVertex,
  listingOf: (contentKey: string) => BlobPointer | undefined,
): BuildSteps {
  return { steps: traces.map((trace) => describeStep(trace, graphVertexOf(trace), listingOf)) };
}

function describeStep(
  { vertex, event, keying }: StepTrace,
  { op, location }: GraphVertex,
  listingOf: (contentKey: string) => BlobPointer | undefined,
): RecordedStep {
  const { started, completed } = event;
  return {
    digest: vertex.digest,
    name: withoutLogins(vertex.name),
    kind: op.op.case ?? 'unknown',
    lines: location && [location.startLine, location.endLine],
    outcome: event.error !== undefined ? 'failed' : event.cached ? 'cached' : completed ? 'ran' : 'waiting',
    seconds: started && completed && !event.cached ? (completed.getTime() - started.getTime()) / 1000 : 0,
    ignoreCache: vertex.ignoreCache,
    op: keying?.opDigest,
    facts: { ...factsOf(op), ...keying?.facts },
    inputs: vertex.inputs.map((input, i) => {
      const key = keying?.inputKeys[i] ?? '';
      const content = keying?.contentInputs.includes(i) === true;
      return { step: input.vertex.digest, key, content, ...(content ? { files: listingOf(key) } : {}) };
    }),
  };
}

function factsOf({ op, platform }: Op): Record<string, string> {
  const shared = platform ? { platform: `${platform.OS}/${platform.Architecture}` } : undefined;
  switch (op.case) {
    case 'exec':
      return { ...shared, ...execFacts(op.value) };
    case 'file':
      return {
        ...shared,
        ...Object.fromEntries(op.value.actions.map((action, i) => [`action ${i}`, actionFact(action)])),
      };
    case 'source':
      return { ...shared, source: withoutLogins(op.value.identifier) };
    default:
      return { ...shared };
  }
}

function execFacts({ meta, mounts, network, security }: ExecOp): Record<string, string> {
  const args = meta?.args ?? [];
  const environment = (meta?.env ?? []).map((variable) => {
    const equals = variable.indexOf('=');
    const name = variable.slice(0, equals);
    return [`environment ${name}`, hideSecret(name, variable.slice(equals + 1))];
  });
  return {
    command: withoutLogins(args.length === 3 && args[1] === '-c' ? (args[2] ?? '') : JSON.stringify(args)),
    user: meta?.user ?? '',
    directory: meta?.cwd ?? '',
    network: `${network}`,
    security: `${security}`,
    mounts: mounts.map(({ dest, mountType, selector }) => `${mountType}:${dest}:${selector}`).join(' '),
    ...Object.fromEntries(environment),
  };
}

function actionFact({ action }: FileAction): string {
  switch (action.case) {
    case 'copy': {
      const { src, dest, owner, mode, modeStr, includePatterns, excludePatterns } = action.value;
      const who = JSON.stringify(
        [owner?.user?.user, owner?.group?.user].map((each) => each && { ...each, $typeName: undefined }),
        plain,
      );
      const patterns = [...includePatterns, ...excludePatterns.map((pattern) => `!${pattern}`)].join(' ');
      return `copy ${src} ${dest} owner ${who} mode ${mode} ${modeStr} ${patterns}`.trimEnd();
    }
    case 'mkfile':
      return `mkfile ${action.value.path} ${digestOf(action.value.data).slice(7, 23)}`;
    case 'mkdir':
    case 'rm':
      return `${action.case} ${action.value.path}`;
    case 'symlink':
      return `symlink ${action.value.oldpath} ${action.value.newpath}`;
    case undefined:
      return '';
  }
}

const plain = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
