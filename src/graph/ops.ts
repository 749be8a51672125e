import type { FileActionSchema, MetaSchema, MountSchema, SecretEnvSchema } from '../api/gen/ops_pb.js';
import { MountType, NetMode, SecurityMode } from '../api/gen/ops_pb.js';
import type { InitOf } from '../api/message/schema.ts';
import type { Platform } from '../oci/platform.ts';
import { type Edge, makeVertex, type VertexOptions } from './vertex.ts';

/** What most ops may say beside their own: for which platform. */
export interface OpOptions extends VertexOptions {
  readonly platform?: Platform | undefined;
}

function platformOf({ platform }: OpOptions) {
  if (!platform) return {};
  return {
    platform: {
      Architecture: platform.architecture,
      OS: platform.os,
      Variant: platform.variant ?? '',
      OSVersion: platform['os.version'] ?? '',
      OSFeatures: [...(platform['os.features'] ?? [])],
    },
  };
}

/** A source by its identifier: `docker-image://…`, `local://…`, `git://…`, `https://…`, `oci-layout://…`. */
export function sourceOp(identifier: string, attrs: Readonly<Record<string, string>>, options: OpOptions = {}): Edge {
  const vertex = makeVertex(
    { op: { case: 'source', value: { identifier, attrs: { ...attrs } } }, ...platformOf(options) },
    [],
    options,
  );
  return { vertex, index: 0 };
}

export type MountInit = InitOf<typeof MountSchema>;

/** A mount of an exec op before its inputs are numbered. */
export interface ExecMount extends Omit<MountInit, 'input' | 'output' | '$typeName' | '$unknown'> {
  readonly dest: string;
  /** What is mounted; scratch when absent. */
  readonly from?: Edge | undefined;
  /** The state after the process is an output. */
  readonly isOutput?: boolean;
}

export interface ExecInit {
  readonly meta: InitOf<typeof MetaSchema>;
  readonly mounts: readonly ExecMount[];
  readonly network?: NetMode;
  readonly security?: SecurityMode;
  readonly secretenv?: readonly InitOf<typeof SecretEnvSchema>[];
  readonly devices?: readonly { readonly name: string; readonly optional: boolean }[];
}

/**
 * Runs a process; the answer is its root file system afterwards. Mounts stand in the order in which Go's client writes them (files by
 * target, then secrets, then agents), so that equal steps have equal digests.
 */
export function execOp(init: ExecInit, options: OpOptions = {}): Edge {
  const inputs: Edge[] = [];
  let outputs = 0;
  let root = 0;
  const mounts = inOrder(init.mounts).map(({ from, isOutput, ...mount }): MountInit => {
    // Go leaves a secret's output at its zero value. Nothing reads it.
    if (isClientMount(mount)) return { ...mount, input: -1n, output: 0n };
    const input = from ? indexIn(inputs, from) : -1;
    if (mount.dest === '/') root = outputs;
    return { ...mount, input: BigInt(input), output: isOutput ? BigInt(outputs++) : -1n };
  });
  const { meta, network = NetMode.UNSET, security = SecurityMode.SANDBOX, secretenv = [], devices = [] } = init;
  const value = {
    meta,
    mounts,
    network,
    security,
    secretenv: [...secretenv],
    cdiDevices: devices.map((device) => ({ ...device })),
  };
  const vertex = makeVertex({ op: { case: 'exec', value }, ...platformOf(options) }, inputs, options);
  return { vertex, index: root };
}

function isClientMount({ mountType }: { readonly mountType?: MountType | undefined }): boolean {
  return mountType === MountType.SECRET || mountType === MountType.SSH;
}

function inOrder(mounts: readonly ExecMount[]): readonly ExecMount[] {
  const files = mounts.filter((mount) => !isClientMount(mount));
  return [
    ...files.toSorted((a, b) => Buffer.compare(Buffer.from(a.dest), Buffer.from(b.dest))),
    ...mounts.filter(({ mountType }) => mountType === MountType.SECRET),
    ...mounts.filter(({ mountType }) => mountType === MountType.SSH),
  ];
}

/** The number of the edge among the inputs, to which it is added when it is new. */
function indexIn(inputs: Edge[], edge: Edge): number {
  const known = inputs.findIndex(({ vertex, index }) => vertex.digest === edge.vertex.digest && index === edge.index);
  return known >= 0 ? known : inputs.push(edge) - 1;
}

export { MountType, NetMode, SecurityMode };

/** An action with the state that it takes files from. */
export interface FileStep {
  readonly action: NonNullable<InitOf<typeof FileActionSchema>['action']>;
  /** The source of a copy; scratch when absent. */
  readonly from?: Edge | undefined;
}

/**
 * Applies actions one after the other to a state (scratch when undefined); the answer is the state after the last. What it does
 * is the same on every platform, so none is in its digest.
 */
export function fileOp(state: Edge | undefined, steps: readonly FileStep[], options: VertexOptions = {}): Edge {
  const inputs: Edge[] = state ? [state] : [];
  const sources = steps.map(({ from }) => (from ? indexIn(inputs, from) : -1));
  const actions = steps.map(({ action }, i) => ({
    input: BigInt(i > 0 ? inputs.length + i - 1 : state ? 0 : -1),
    secondaryInput: BigInt(action.case === 'copy' ? (sources[i] ?? -1) : -1),
    output: i === steps.length - 1 ? 0n : -1n,
    action,
  }));
  return { vertex: makeVertex({ op: { case: 'file', value: { actions } } }, inputs, options), index: 0 };
}

/** Layers the states on top of each other. Undefined states are empty. */
export function mergeOp(states: readonly (Edge | undefined)[], options: VertexOptions = {}): Edge | undefined {
  const inputs = states.filter((state) => state !== undefined);
  if (inputs.length < 2) return inputs[0];
  const value = { inputs: inputs.map((_, i) => ({ input: BigInt(i) })) };
  return { vertex: makeVertex({ op: { case: 'merge', value } }, inputs, options), index: 0 };
}

/** What the upper state has beyond the lower one. */
export function diffOp(
  lower: Edge | undefined,
  upper: Edge | undefined,
  options: VertexOptions = {},
): Edge | undefined {
  if (!lower) return upper;
  const inputs = upper ? [lower, upper] : [lower];
  const value = { lower: { input: 0n }, upper: { input: upper ? 1n : -1n } };
  return { vertex: makeVertex({ op: { case: 'diff', value } }, inputs, options), index: 0 };
}
