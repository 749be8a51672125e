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

/** Runs a process; the answer is its root file system afterwards. Mounts are sorted by target, as Go's client does, so that equal steps have equal digests. */
export function execOp(init: ExecInit, options: OpOptions = {}): Edge {
  const inputs: Edge[] = [];
  let outputs = 0;
  let root = 0;
  const mounts = init.mounts
    .toSorted((a, b) => (a.dest < b.dest ? -1 : a.dest > b.dest ? 1 : 0))
    .map(({ from, isOutput, ...mount }): MountInit => {
      let input = from
        ? inputs.findIndex((each) => each.vertex.digest === from.vertex.digest && each.index === from.index)
        : -1;
      if (from && input < 0) input = inputs.push(from) - 1;
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

export { MountType, NetMode, SecurityMode };

/** An action with the state that it takes files from. */
export interface FileStep {
  readonly action: NonNullable<InitOf<typeof FileActionSchema>['action']>;
  /** The source of a copy; scratch when absent. */
  readonly from?: Edge | undefined;
}

/** Applies actions one after the other to a state (scratch when undefined); the answer is the state after the last. */
export function fileOp(state: Edge | undefined, steps: readonly FileStep[], options: OpOptions = {}): Edge {
  const inputs: Edge[] = state ? [state] : [];
  for (const { from } of steps) {
    if (from && !inputs.some((each) => each.vertex.digest === from.vertex.digest && each.index === from.index))
      inputs.push(from);
  }
  const indexOf = (edge: Edge | undefined) =>
    edge ? inputs.findIndex((each) => each.vertex.digest === edge.vertex.digest && each.index === edge.index) : -1;
  const actions = steps.map(({ action, from }, i) => ({
    input: BigInt(i === 0 ? indexOf(state) : inputs.length + i - 1),
    secondaryInput: BigInt(action.case === 'copy' ? indexOf(from) : -1),
    output: i === steps.length - 1 ? 0n : -1n,
    action,
  }));
  const vertex = makeVertex({ op: { case: 'file', value: { actions } }, ...platformOf(options) }, inputs, options);
  return { vertex, index: 0 };
}

/** Layers the states on top of each other. */
export function mergeOp(states: readonly (Edge | undefined)[], options: OpOptions = {}): Edge | undefined {
  const inputs = states.filter((state) => state !== undefined);
  if (inputs.length < 2) return inputs[0];
  const value = { inputs: inputs.map((_, i) => ({ input: BigInt(i) })) };
  return { vertex: makeVertex({ op: { case: 'merge', value } }, inputs, options), index: 0 };
}
