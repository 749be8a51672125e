import type { ExecOp, Mount as MountMessage } from '../api/gen/ops_pb.js';
import { NetMode, SecurityMode } from '../api/gen/ops_pb.js';
import { type Digest, digestOf } from '../base/digest.ts';
import { SlipwayError } from '../base/errors.ts';
import type { Platform } from '../oci/platform.ts';
import type { ContainerSpec, ExitStatus } from '../runtime/runtime.ts';

import type { CacheMap, Handle, InputKeying, Op, OpContext } from '../solver/op.ts';
import { ExecMounts } from './exec-mounts.ts';
import { userOf } from './exec-user.ts';
import { foreignPlatformHint } from './foreign-platform.ts';
import { hashRef } from './hash-ref.ts';
import { awaitImages, holdRef, type Ref, stackOf } from './ref.ts';
import { secretEnvironment } from './secret-environment.ts';
import { createSecretMask } from './secret-mask.ts';
import type { WorkerServices } from './worker-services.ts';

/** What LLB says beside the op that does not change what it makes: limits. */
export interface ExecLimits {
  readonly resources?: NonNullable<ContainerSpec['resources']>;
}

export interface ExecOptions {
  readonly limits?: ExecLimits | undefined;
  /** What the step is for. */
  readonly platform?: Platform | undefined;
}

/** A process over mounts: `RUN`. */
export function createExecOp(exec: ExecOp, services: WorkerServices, options: ExecOptions): Op<Ref> {
  return {
    cacheMap: async () => execCacheMap(exec, services),
    awaitInputs: awaitImages,
    run: (inputs, context) => runExec(exec, inputs, services, options, context),
  };
}

/**
 * Secret values, ssh agents, proxy variables, extra hosts, limits and the ids of cache mounts are not in the key
 * (reference dockerfile.md §6): they change between machines without changing what the step means.
 */
function execCacheMap(exec: ExecOp, services: WorkerServices): CacheMap<Ref> {
  const { meta } = exec;
  const key = {
    type: 'exec',
    args: meta?.args,
    env: meta?.env,
    cwd: meta?.cwd,
    user: meta?.user,
    hostname: meta?.hostname,
    ulimit: meta?.ulimit.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    exitCodes: meta?.validExitCodes,
    network: exec.network,
    security: exec.security,
    secretEnv: exec.secretenv.map(({ ID, name }) => [ID, name]),
    devices: exec.cdiDevices.map(({ name }) => name),
    mounts: exec.mounts.map((mount) => [
      mount.mountType,
      mount.dest,
      mount.input.toString(),
      mount.output.toString(),
      mount.readonly,
      mount.selector,
    ]),
  };
  const inputs = new Map<number, MountMessage[]>();
  for (const mount of exec.mounts) {
    const index = Number(mount.input);
    if (index >= 0) inputs.set(index, [...(inputs.get(index) ?? []), mount]);
  }
  const keyings: InputKeying<Ref>[] = [];
  for (const [index, mounts] of inputs) keyings[index] = inputKeying(mounts, services);
  return { digest: digestOf(JSON.stringify(key)), inputs: Array.from(keyings, (keying) => keying ?? {}) };
}

/** Binds whose result nobody takes count by the content that is bound; what a step writes on counts by its definition. */
function inputKeying(mounts: readonly MountMessage[], services: WorkerServices): InputKeying<Ref> {
  if (mounts.some((mount) => (mount.dest === '/' || !mount.readonly) && mount.output >= 0n)) return {};
  const paths = mounts.map((mount) => mount.selector || '/');
  return {
    selector: paths.join('\n'),
    contentKey: async (input, context): Promise<Digest> => {
      const digests = await Promise.all(
        paths.map((path) => hashRef(services, input, { path, followLinks: true, wildcard: false }, context)),
      );
      return digestOf(digests.join('\n'));
    },
  };
}

async function runExec(
  exec: ExecOp,
  inputs: readonly Ref[],
  services: WorkerServices,
  { limits, platform }: ExecOptions,
  context: OpContext,
): Promise<Handle<Ref>[]> {
  const { meta } = exec;
  if (!meta || meta.args.length === 0)
    throw new SlipwayError('invalid-argument', 'cannot run a step without arguments');
  const stacks = await Promise.all(inputs.map((input) => stackOf(input, context.signal)));
  await using mounts = await ExecMounts.prepare(exec, stacks, services, context);
  const secrets = await secretEnvironment(exec, services, context);
  const mask = createSecretMask([...mounts.secretValues, ...secrets.values]);
  const user = await userOf(meta.user, mounts.rootStack, services);
  const process = await services.runtime.start(
    {
      id: services.newContainerId(),
      rootfs: mounts.rootfs,
      readonlyRootfs: mounts.readonlyRootfs,
      args: meta.args,
      env: [...withPath(meta.env), ...proxyVariables(exec), ...mounts.environment, ...secrets.variables],
      cwd: meta.cwd || '/',
      user,
      hostname: meta.hostname || 'buildkitsandbox',
      mounts: mounts.mounts,
      network: services.networkFor(
        exec.network === NetMode.NONE ? 'none' : exec.network === NetMode.HOST ? 'host' : 'default',
      ),
      privileged: exec.security === SecurityMode.INSECURE,
      extraHosts: meta.extraHosts.map(({ Host, IP }) => `${Host}:${IP}`),
      ulimits: meta.ulimit.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Number(Soft), hard: Number(Hard) })),
      ...(meta.cgroupParent === '' ? {} : { cgroupParent: meta.cgroupParent }),
      ...limits,
    },
    {
      stdout: (chunk) => mask(chunk, (bytes) => context.log(1, bytes)),
      stderr: (chunk) => mask(chunk, (bytes) => context.log(2, bytes)),
    },
    { signal: context.signal },
  );
  const { code, outOfMemory } = await process.exited;
  context.signal.throwIfAborted();
  const allowed: readonly number[] = meta.validExitCodes.length > 0 ? meta.validExitCodes : [0];
  if (!allowed.includes(code))
    throw new ExitError(meta.args, { code, outOfMemory }, platform && foreignPlatformHint(platform));
  return mounts.commit().map((stack) => holdRef(services.snapshots, { kind: 'layers', stack }));
}

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A process without a PATH gets the usual one, as BuildKit does. */
function withPath(env: readonly string[]): readonly string[] {
  return env.some((each) => each.startsWith('PATH=')) ? env : [defaultPath, ...env];
}

/** The process ended with a code that the step does not allow. */
export class ExitError extends SlipwayError {
  readonly exitCode: number;

  constructor(args: readonly string[], { code: exitCode, outOfMemory }: ExitStatus, hint: string | undefined) {
    const why = outOfMemory ? ': it was killed for using too much memory' : '';
    super(
      'failed-precondition',
      `process ${JSON.stringify(args.join(' '))} did not complete successfully: exit code: ${exitCode}${why}`,
      { hint },
    );
    this.exitCode = exitCode;
  }
}

function proxyVariables({ meta }: ExecOp): string[] {
  const proxy = meta?.proxyEnv;
  if (!proxy) return [];
  const pairs: [string, string][] = [
    ['HTTP_PROXY', proxy.httpProxy],
    ['HTTPS_PROXY', proxy.httpsProxy],
    ['FTP_PROXY', proxy.ftpProxy],
    ['NO_PROXY', proxy.noProxy],
    ['ALL_PROXY', proxy.allProxy],
  ];
  return pairs.flatMap(([name, value]) => (value === '' ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`]));
}
